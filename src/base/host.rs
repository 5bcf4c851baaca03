//! The name of this host.

/// The host's name, as the kernel knows it in this UTS namespace; `localhost` if it has none.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_string(),
        name => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn the_name_is_that_of_uname() {
        let uname = std::process::Command::new("uname").arg("-n").output().expect("uname is everywhere");
        assert_eq!(host_name(), String::from_utf8_lossy(&uname.stdout).trim());
    }
}
