//! Containers as cAdvisor tells of them: which service instances run on a Docker host.

use std::collections::BTreeMap;

use super::metric::{Labels, Sample};

/// One container.
#[derive(Clone, PartialEq, Debug)]
pub struct Container<'a> {
    /// Its name. Foreign text.
    pub name: &'a str,
    /// Its image. Foreign text.
    pub image: Option<&'a str>,
    /// The ports that its labels tell of; empty if none do. Foreign text.
    pub ports: String,
    /// CPUs that it uses: 0.5 is half a CPU.
    pub cpu: Option<f64>,
    /// The series of that.
    pub cpu_series: Option<&'a Labels>,
    /// Memory that it works with, bytes.
    pub memory: Option<f64>,
    /// Bytes that it received in a second.
    pub received: Option<f64>,
    /// Bytes that it sent in a second.
    pub sent: Option<f64>,
}

/// The containers among the points of a scrape (rates where something counts), by name. What has no name is a control
/// group of the host.
pub fn of(points: &[(Labels, Sample)]) -> Vec<Container<'_>> {
    let mut all: BTreeMap<&str, Container<'_>> = BTreeMap::new();
    for (labels, sample) in points {
        let Some(metric) = labels.name().filter(|name| name.starts_with("container_")) else {
            continue;
        };
        let Some(name) = labels.get("name") else { continue };
        let container = all.entry(name).or_insert_with(|| Container {
            name,
            image: labels.get("image"),
            ports: ports(labels),
            cpu: None,
            cpu_series: None,
            memory: None,
            received: None,
            sent: None,
        });
        let value = Some(sample.value).filter(|value| value.is_finite());
        let sum =
            |known: &mut Option<f64>| *known = value.map(|value| value + known.unwrap_or(0.0)).or(*known);
        match metric {
            "container_cpu_usage_seconds_total" => {
                // One series for each CPU, or one for all.
                sum(&mut container.cpu);
                container.cpu_series.get_or_insert(labels);
            }
            "container_memory_working_set_bytes" => container.memory = value,
            "container_network_receive_bytes_total" => sum(&mut container.received),
            "container_network_transmit_bytes_total" => sum(&mut container.sent),
            _ => {}
        }
    }
    all.into_values().collect()
}

/// Ports, where labels of the container say so: by its Compose file, or by a proxy that routes to it.
fn ports(labels: &Labels) -> String {
    let mut ports: Vec<&str> = labels
        .iter()
        .filter(|(name, value)| {
            let told = name.starts_with("container_label_") && name.contains("port");
            told && value
                .chars()
                .all(|c| c.is_ascii_digit() || ":/,-tcpud".contains(c))
        })
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports.join(" ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::metric::NAME;

    #[test]
    fn what_has_a_name_is_a_container() {
        let point = |metric: &str, name: &str, cpu: &str, value: f64| {
            let labels = [
                (NAME, metric),
                ("name", name),
                ("cpu", cpu),
                ("image", "nginx:1"),
                ("container_label_service_port", "8080"),
            ];
            let at = Timestamp::UNIX_EPOCH;
            (labels.into_iter().collect::<Labels>(), Sample { at, value })
        };
        let points = [
            point("container_cpu_usage_seconds_total", "web", "cpu00", 0.25),
            point("container_cpu_usage_seconds_total", "web", "cpu01", 0.5),
            point("container_memory_working_set_bytes", "web", "", 1e6),
            point("container_memory_working_set_bytes", "", "", 9e9),
            point("container_memory_working_set_bytes", "db", "", f64::NAN),
            point("node_load1", "web", "", 1.0),
        ];
        let found = of(&points);
        let names: Vec<&str> = found.iter().map(|one| one.name).collect();
        assert_eq!(names, ["db", "web"]);
        assert_eq!((found[1].cpu, found[1].memory), (Some(0.75), Some(1e6)));
        assert_eq!((found[1].image, &*found[1].ports), (Some("nginx:1"), "8080"));
        assert_eq!(found[0].memory, None);
    }
}
