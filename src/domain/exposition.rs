//! Facts as the text that Prometheus and the textfile collector of `node_exporter` read.
//!
//! What always holds here: each family has its HELP and TYPE and comes once; foreign text is escaped, so that no label can
//! become a line of its own; a family without samples is left out, because nothing is known.

use std::{collections::BTreeMap, fmt};

use super::metric::quoted;

/// A text of families.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Exposition(Vec<Family>);

/// One metric: all are gauges, for all are facts of a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    samples: BTreeMap<String, f64>,
}

impl Exposition {
    /// The family of this name, made if it is not there yet.
    pub fn family(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        let place = self.0.iter().position(|family| family.name == name);
        let place = place.unwrap_or_else(|| {
            self.0.push(Family {
                name,
                help,
                samples: BTreeMap::new(),
            });
            self.0.len() - 1
        });
        &mut self.0[place]
    }
}

impl Family {
    /// One more sample. Of two with the same labels the later one stays: a reader would refuse the whole text.
    pub fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        let mut text = String::new();
        for (index, (name, value)) in labels.iter().enumerate() {
            text.push(if index == 0 { '{' } else { ',' });
            text.push_str(name);
            text.push('=');
            text.push_str(&quoted(value));
        }
        if !labels.is_empty() {
            text.push('}');
        }
        self.samples.insert(text, value);
    }
}

impl fmt::Display for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for family in self.0.iter().filter(|family| !family.samples.is_empty()) {
            writeln!(f, "# HELP {} {}", family.name, family.help)?;
            writeln!(f, "# TYPE {} gauge", family.name)?;
            for (labels, value) in &family.samples {
                writeln!(f, "{}{labels} {value}", family.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_never_becomes_a_line_of_its_own() {
        let mut text = Exposition::default();
        text.family("a_guests", "Guests.")
            .add(&[("name", "x\"} 1\nevil 7\\")], 2.0);
        text.family("a_nothing", "Nothing is known.");
        text.family("b", "Twice.").add(&[], 1.0);
        text.family("b", "Twice.").add(&[], 3.0);
        assert_eq!(
            text.to_string(),
            "# HELP a_guests Guests.\n# TYPE a_guests gauge\na_guests{name=\"x\\\"} 1\\nevil 7\\\\\"} 2\n\
             # HELP b Twice.\n# TYPE b gauge\nb 3\n"
        );
    }
}
