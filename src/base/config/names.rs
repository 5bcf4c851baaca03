//! Variables that begin as settings do and are none: those that environment modules and Kubernetes set, and typing
//! errors.

/// No setting: a rank names itself in it, for the programs that it starts.
pub const RANK_PROCESS: &str = "MOBULA_RANK_PROCESS";

/// What environment modules append to a package's name.
const OF_MODULES: &[&str] = &[
    "ROOT",
    "DIR",
    "HOME",
    "PREFIX",
    "BASE",
    "PATH",
    "BIN",
    "BINDIR",
    "LIB",
    "LIBDIR",
    "LIB64",
    "INC",
    "INCLUDE",
    "INCDIR",
    "SHARE",
    "DOC",
    "MAN",
    "VERSION",
    "VER",
    "MODULE",
    "MODULEFILE",
    "LICENSE",
    "CONFIG",
    "DATA",
    "EXAMPLES",
];

/// True if a variable is let be: another program sets it, or nothing in its name resembles a setting. A name that
/// resembles one is a typing error.
pub fn is_of_others(name: &str, value: &str, settings: &[&str]) -> bool {
    let Some(suffix) = name.strip_prefix("MOBULA_") else { return true };
    if OF_MODULES.contains(&suffix) || is_of_kubernetes(suffix, value) {
        return true;
    }
    !settings.iter().filter_map(|setting| setting.strip_prefix("MOBULA_")).any(|setting| resembles(suffix, setting))
}

/// For a service `mobula`, Kubernetes sets `MOBULA_SERVICE_HOST`, `MOBULA_PORT=tcp://..`, `MOBULA_PORT_80_TCP_ADDR`, ..
fn is_of_kubernetes(suffix: &str, value: &str) -> bool {
    suffix.starts_with("SERVICE_")
        || suffix.starts_with("PORT_")
        || (suffix == "PORT" && ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme)))
}

/// True if two letters at most differ, of short names one, or if all words of one are among those of the other.
fn resembles(name: &str, setting: &str) -> bool {
    let differences = if setting.len() > 4 { 2 } else { 1 };
    let has_all = |one: &str, other: &str| one.split('_').all(|word| other.split('_').any(|known| known == word));
    strsim::osa_distance(name, setting) <= differences || has_all(name, setting) || has_all(setting, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &[&str] =
        &["MOBULA_WORKERS", "MOBULA_STORE_BYTES", "MOBULA_PIN", "MOBULA_PORTS", "MOBULA_SPILL_DIR"];

    #[test]
    fn names_of_modules_and_kubernetes_are_let_be() {
        for (name, value) in [
            ("MOBULA_ROOT", "/opt/mobula"),
            ("MOBULA_HOME", "/opt/mobula"),
            ("MOBULA_DIR", "/opt/mobula"),
            ("MOBULA_BIN", "/opt/mobula/bin"),
            ("MOBULA_LIB", "/opt/mobula/lib"),
            ("MOBULA_VERSION", "0.1"),
            ("MOBULA_SERVICE_HOST", "10.0.0.1"),
            ("MOBULA_SERVICE_PORT_HTTP", "80"),
            ("MOBULA_PORT", "tcp://10.0.0.1:80"),
            ("MOBULA_PORT_80_TCP_PROTO", "tcp"),
            ("MOBULA_COLOUR_OF_THE_SEA", "blue"),
        ] {
            assert!(is_of_others(name, value, SETTINGS), "{name}");
        }
    }

    #[test]
    fn typing_errors_are_not() {
        for (name, value) in [
            ("MOBULA_WORKER", "2"),
            ("MOBULA_WROKERS", "2"),
            ("MOBULA_STORE", "1G"),
            ("MOBULA_STORE_BYTE", "1G"),
            ("MOBULA_STORE_MAX_BYTES", "1G"),
            ("MOBULA_PINS", "0"),
            ("MOBULA_PORT", "5000"),
            ("MOBULA_SPIL_DIR", "/tmp"),
        ] {
            assert!(!is_of_others(name, value, SETTINGS), "{name}");
        }
    }
}
