//! Reads the ports of the RDMA devices from sysfs, without opening a device.

use super::choice::{CandidatePort, Gid, LinkLayer};
use std::fs;
use std::path::{Path, PathBuf};

/// Where Linux lists the devices.
pub const CLASS: &str = "/sys/class/infiniband";

/// Every port of every device under `class`.
pub fn candidates(class: &Path) -> Vec<CandidatePort> {
    let mut candidates = Vec::new();
    for device in names(class) {
        let numa = text(&class.join(&device).join("device/numa_node")).and_then(|node| node.parse().ok());
        for port in names(&port_folder(class, &device, "")).iter().filter_map(|port| port.parse().ok()) {
            let of = |file: &str| text(&port_folder(class, &device, &format!("{port}/{file}"))).unwrap_or_default();
            let attached = names(&port_folder(class, &device, &format!("{port}/gid_attrs/ndevs")));
            let mut interfaces: Vec<String> = attached
                .iter()
                .map(|index| of(&format!("gid_attrs/ndevs/{index}")))
                .filter(|name| !name.is_empty())
                .collect();
            interfaces.dedup();
            candidates.push(CandidatePort {
                device: device.clone(),
                port,
                active: of("state").contains("ACTIVE"),
                numa,
                speed: gigabits(&of("rate")),
                link_layer: if of("link_layer") == "Ethernet" { LinkLayer::Ethernet } else { LinkLayer::InfiniBand },
                interfaces,
            });
        }
    }
    candidates
}

/// The addresses of a port, in the order of its table.
pub fn gids(class: &Path, device: &str, port: u8) -> Vec<Gid> {
    let file = |folder: &str, index: &str| text(&port_folder(class, device, &format!("{port}/{folder}/{index}")));
    let mut gids: Vec<Gid> = names(&port_folder(class, device, &format!("{port}/gids")))
        .iter()
        .filter_map(|index| {
            // The type of an unused entry cannot be read.
            let kind = file("gid_attrs/types", index)?;
            Some(Gid { index: index.parse().ok()?, raw: address(&file("gids", index)?)?, kind })
        })
        .collect();
    gids.sort_by_key(|gid| gid.index);
    gids
}

fn port_folder(class: &Path, device: &str, rest: &str) -> PathBuf {
    class.join(device).join("ports").join(rest)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn text(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_string())
}

/// The number of `200 Gb/sec (4X HDR)`.
fn gigabits(rate: &str) -> u32 {
    rate.split(' ').next().and_then(|number| number.parse::<f64>().ok()).map_or(0, |number| number as u32)
}

/// Sixteen bytes written as `fe80:0000:...`.
fn address(text: &str) -> Option<[u8; 16]> {
    let mut raw = [0; 16];
    let mut groups = text.split(':');
    for pair in raw.chunks_exact_mut(2) {
        pair.copy_from_slice(&u16::from_str_radix(groups.next()?, 16).ok()?.to_be_bytes());
    }
    groups.next().is_none().then_some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_addresses_are_read_from_sysfs_files() {
        let class = std::env::temp_dir().join(format!("mobula-infiniband-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = class.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(path, text).expect("written");
        };
        write("mlx5_0/device/numa_node", "1\n");
        write("mlx5_0/ports/1/state", "4: ACTIVE\n");
        write("mlx5_0/ports/1/rate", "200 Gb/sec (4X HDR)\n");
        write("mlx5_0/ports/1/link_layer", "InfiniBand\n");
        write("rxe0/ports/1/state", "1: DOWN\n");
        write("rxe0/ports/1/rate", "2.5 Gb/sec (1X SDR)\n");
        write("rxe0/ports/1/link_layer", "Ethernet\n");
        write("rxe0/ports/1/gids/1", "0000:0000:0000:0000:0000:ffff:0a4d:0001\n");
        write("rxe0/ports/1/gids/2", "0000:0000:0000:0000:0000:0000:0000:0000\n");
        write("rxe0/ports/1/gid_attrs/types/1", "RoCE v2\n");
        write("rxe0/ports/1/gid_attrs/ndevs/0", "rx0\n");
        write("rxe0/ports/1/gid_attrs/ndevs/1", "rx0\n");
        let (ports, gids) = (candidates(&class), gids(&class, "rxe0", 1));
        let none = candidates(&class.join("nothing"));
        fs::remove_dir_all(&class).expect("removed");
        let wide = CandidatePort {
            device: "mlx5_0".into(),
            port: 1,
            active: true,
            numa: Some(1),
            speed: 200,
            link_layer: LinkLayer::InfiniBand,
            interfaces: Vec::new(),
        };
        let soft = CandidatePort {
            device: "rxe0".into(),
            active: false,
            numa: None,
            speed: 2,
            link_layer: LinkLayer::Ethernet,
            interfaces: vec!["rx0".into()],
            ..wide.clone()
        };
        assert_eq!(ports, [wide, soft]);
        let raw = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 77, 0, 1];
        assert_eq!(gids, [Gid { index: 1, raw, kind: "RoCE v2".into() }]);
        assert!(none.is_empty());
    }

    #[test]
    fn address_of_malformed_text_returns_none() {
        assert_eq!(address("fe80::1"), None);
        assert_eq!(address(""), None);
        assert_eq!(address("0:0:0:0:0:0:0:0:0"), None);
    }
}
