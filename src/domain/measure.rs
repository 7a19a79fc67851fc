//! What of an object can be shown over time, by the names that keys, the command line and the configuration use.
//!
//! What always holds here: a value comes from what the server recorded at that moment or is absent; a fraction without
//! its whole is absent as well.

use super::{ObjectRef, metric::Unit};

/// Something that is measured of nodes, guests or storages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Measure {
    /// CPU use, of all CPUs of the object.
    Cpu,
    /// Time in which CPUs waited for disks.
    IoWait,
    /// How many processes want to run: the mean of a minute.
    Load,
    /// Memory in use.
    Memory,
    /// Swap space in use.
    Swap,
    /// Time in which something stood still for want of CPU, disk or memory.
    Pressure,
    /// Traffic.
    Network,
    /// Reading and writing.
    Disk,
    /// How full the node's root file system is.
    Root,
    /// How full the storage is.
    Fill,
}

use Measure::{Cpu, Disk, Fill, IoWait, Load, Memory, Network, Pressure, Root, Swap};

/// A line of a measure: its name and the recorded fields that it is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strand {
    /// What tells it from the other lines of the measure; empty if there is only one.
    pub name: &'static str,
    field: Field,
}

/// From the fields of Proxmox's records to a value in the measure's unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    /// As it is.
    Plain(&'static str),
    /// A part of a whole.
    Part(&'static str, &'static str),
    /// A percentage.
    Percent(&'static str),
}

const fn plain(name: &'static str, field: &'static str) -> Strand {
    Strand {
        name,
        field: Field::Plain(field),
    }
}

const fn part(field: &'static str, whole: &'static str) -> Strand {
    Strand {
        name: "",
        field: Field::Part(field, whole),
    }
}

const fn percent(name: &'static str, field: &'static str) -> Strand {
    Strand {
        name,
        field: Field::Percent(field),
    }
}

impl Strand {
    /// Its value at a moment of which the fields are known.
    pub fn value(&self, field: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        match self.field {
            Field::Plain(name) => field(name),
            Field::Part(part, whole) => {
                let whole = field(whole).filter(|whole| *whole > 0.0)?;
                Some(field(part)? / whole)
            }
            Field::Percent(name) => Some(field(name)? / 100.0),
        }
    }
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Cpu, IoWait, Load, Memory, Swap, Pressure, Network, Disk, Root, Fill,
    ];

    /// What can be shown of an object, the most asked for first; nothing of tasks, backups and whole clusters.
    pub fn of(object: &ObjectRef) -> &'static [Self] {
        match object {
            ObjectRef::Node(_) => &[Cpu, IoWait, Load, Memory, Swap, Pressure, Network, Root],
            ObjectRef::Guest(_) => &[Cpu, Memory, Disk, Network, Pressure],
            ObjectRef::Storage(_) => &[Fill],
            _ => &[],
        }
    }

    /// The word of the command line and the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Cpu => "cpu",
            IoWait => "iowait",
            Load => "load",
            Memory => "memory",
            Swap => "swap",
            Pressure => "pressure",
            Network => "network",
            Disk => "disk",
            Root => "root",
            Fill => "fill",
        }
    }

    /// What it is, for a menu.
    pub fn title(self) -> &'static str {
        match self {
            Cpu => "CPU use",
            IoWait => "waiting for disks",
            Load => "load, mean of a minute",
            Memory => "memory in use",
            Swap => "swap in use",
            Pressure => "pressure: standing still",
            Network => "network traffic",
            Disk => "disk reads and writes",
            Root => "root file system",
            Fill => "fill, with forecast",
        }
    }

    /// The metrics of monitoring that tell the same: the name of each line, and that of the metric.
    pub fn metrics(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Cpu => &[("", "cpu")],
            IoWait => &[("", "iowait")],
            Load => &[("", "load")],
            Memory => &[("", "memory")],
            Swap => &[("", "swap")],
            Pressure => &[
                ("cpu", "pressure-cpu"),
                ("disk", "pressure-io"),
                ("memory", "pressure-memory"),
            ],
            Network => &[("in", "net-in"), ("out", "net-out")],
            Disk => &[("read", "disk-read"), ("write", "disk-write")],
            Root => &[("", "root")],
            Fill => &[("", "used")],
        }
    }

    /// What its numbers mean.
    pub fn unit(self) -> Unit {
        match self {
            Cpu | IoWait | Memory | Swap | Pressure | Root | Fill => Unit::Ratio,
            Load => Unit::Number,
            Network | Disk => Unit::BytesPerSecond,
        }
    }

    /// Its lines for an object.
    pub fn strands(self, object: &ObjectRef) -> &'static [Strand] {
        match self {
            Cpu => const { &[plain("", "cpu")] },
            IoWait => const { &[plain("", "iowait")] },
            Load => const { &[plain("", "loadavg")] },
            Memory if matches!(object, ObjectRef::Node(_)) => const { &[part("memused", "memtotal")] },
            Memory => const { &[part("mem", "maxmem")] },
            Swap => const { &[part("swapused", "swaptotal")] },
            Pressure => {
                const {
                    &[
                        percent("cpu", "pressurecpusome"),
                        percent("disk", "pressureiosome"),
                        percent("memory", "pressurememorysome"),
                    ]
                }
            }
            Network => const { &[plain("in", "netin"), plain("out", "netout")] },
            Disk => const { &[plain("read", "diskread"), plain("write", "diskwrite")] },
            Root => const { &[part("rootused", "roottotal")] },
            Fill => const { &[part("used", "total")] },
        }
    }
}

/// What a graph shows: a measure, or a metric that only monitoring has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shown {
    /// What Proxmox knows as well.
    Measure(Measure),
    /// A metric of the configuration, by its name.
    Metric(Box<str>),
}

impl Shown {
    /// The word of the command line and the configuration.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Measure(measure) => measure.as_str(),
            Self::Metric(name) => name,
        }
    }
}

impl From<Measure> for Shown {
    fn from(measure: Measure) -> Self {
        Self::Measure(measure)
    }
}

impl std::str::FromStr for Measure {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|measure| measure.as_str() == word)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NodeRef, StorageRef};

    #[test]
    fn every_measure_has_its_word_and_belongs_to_something() {
        for measure in Measure::ALL {
            assert_eq!(measure.as_str().parse(), Ok(measure));
        }
        let node = ObjectRef::Node(NodeRef {
            cluster: "prod".into(),
            node: "pve1".into(),
        });
        let strand = Measure::Memory.strands(&node)[0];
        let half = |name: &str| Some(if name == "memtotal" { 8.0 } else { 4.0 });
        assert_eq!(strand.value(half), Some(0.5));
        assert_eq!(
            strand.value(|name| (name == "memused").then_some(4.0)),
            None,
            "no whole"
        );
        assert_eq!(strand.value(|_| Some(0.0)), None);
        assert_eq!(
            Measure::Pressure.strands(&node)[0].value(|_| Some(25.0)),
            Some(0.25)
        );
    }

    #[test]
    fn a_storage_has_a_fill_and_nothing_else() {
        let storage = ObjectRef::Storage(StorageRef {
            cluster: "prod".into(),
            node: "pve1".into(),
            storage: "local".into(),
        });
        assert_eq!(Measure::of(&storage), [Measure::Fill]);
        assert_eq!(Measure::of(&ObjectRef::Cluster("prod".into())), []);
    }
}
