//! `[ui]` and `[limits]`: how the console looks, and when it finds something wrong.

use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::reader::Reader;

/// All keys of `[ui]`.
pub(super) const UI_KEYS: &[&str] = &["theme", "mouse", "ascii", "time_zone"];

/// How the console looks and feels.
#[derive(Clone, PartialEq, Debug)]
pub struct Ui {
    /// Name of the theme; `None` lets the terminal's abilities choose.
    pub theme: Option<String>,
    /// Whether the console takes the mouse.
    pub mouse: bool,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// In which zone times are shown.
    pub time_zone: TimeZone,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: None,
            mouse: true,
            ascii: false,
            time_zone: TimeZone::system(),
        }
    }
}

impl Ui {
    /// Lets what the table says override this.
    pub(super) fn overlay(&mut self, reader: &mut Reader<'_>, table: &DeTable<'_>) {
        reader.only("ui", table, UI_KEYS);
        if let Some(theme) = reader.string(table, "theme") {
            self.theme = (theme.value != "auto").then_some(theme.value);
        }
        if let Some(mouse) = reader.boolean(table, "mouse") {
            self.mouse = mouse;
        }
        if let Some(ascii) = reader.boolean(table, "ascii") {
            self.ascii = ascii;
        }
        if let Some(zone) = reader.string(table, "time_zone") {
            match zone.value.as_str() {
                "local" => self.time_zone = TimeZone::system(),
                name => match TimeZone::get(name) {
                    Ok(found) => self.time_zone = found,
                    Err(_) => reader.complain(
                        &zone.span,
                        format!("there is no time zone \"{name}\"; write local, UTC or a name such as Europe/Vienna"),
                    ),
                },
            }
        }
    }
}

macro_rules! limits {
    ($($(#[$doc:meta])* $key:ident = $default:literal in $range:expr,)*) => {
        /// From when on something is a finding. Shares are in per cent.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Limits {
            $($(#[$doc])* pub $key: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        /// All keys of `[limits]`.
        pub(super) const LIMIT_KEYS: &[&str] = &[$(stringify!($key),)*];

        impl Limits {
            /// Lets what the table says override this.
            pub(super) fn overlay(&mut self, reader: &mut Reader<'_>, table: &DeTable<'_>) {
                reader.only("limits", table, LIMIT_KEYS);
                $(if let Some(value) = reader.integer(table, stringify!($key), $range) {
                    self.$key = value;
                })*
            }
        }
    };
}

limits! {
    /// A storage is nearly full.
    storage_warning = 85 in 1..=100,
    /// A storage is as good as full.
    storage_critical = 95 in 1..=100,
    /// A Backup Server's datastore is nearly full.
    datastore_warning = 80 in 1..=100,
    /// A Backup Server's datastore is as good as full.
    datastore_critical = 95 in 1..=100,
    /// The root file system of a node is nearly full.
    root_warning = 85 in 1..=100,
    /// The root file system of a node is as good as full.
    root_critical = 95 in 1..=100,
    /// A node's CPUs are busy, and stay so.
    cpu_warning = 90 in 1..=100,
    /// A node's memory is nearly used up.
    memory_warning = 90 in 1..=100,
    /// A node's memory is as good as used up.
    memory_critical = 95 in 1..=100,
    /// Life that a solid-state disk must have left.
    disk_life_left = 10 in 1..=100,
    /// Days before the end of a certificate.
    certificate_days = 30 in 1..=365,
    /// Days before the end of a certificate from which on it is critical.
    certificate_critical_days = 7 in 1..=365,
    /// Hours that a guest may be locked.
    lock_hours = 1 in 1..=720,
    /// Hours for which a failed task is worth knowing.
    failed_task_hours = 24 in 1..=720,
    /// Seconds that a node's clock may differ from ours.
    clock_skew_seconds = 60 in 1..=3600,
}
