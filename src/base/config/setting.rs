//! A row of the table of settings.

use super::Config;

/// The environment variable of a setting.
pub(super) struct Setting {
    pub(super) variable: &'static str,
    /// What it accepts.
    pub(super) takes: &'static str,
    /// Its value if neither the program nor the environment sets it, in words.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) default: &'static str,
    /// The setter of `Config`, as the documentation shows it.
    pub(super) method: &'static str,
    /// Sets it from the text of the variable; `None` if the text is not understood.
    pub(super) apply: fn(&mut Config, &str) -> Option<()>,
    /// True if its value is one that it may have, whoever set it.
    pub(super) is_allowed: fn(&Config) -> bool,
    /// The value as the banner prints it.
    pub(super) show: fn(&Config) -> String,
}
