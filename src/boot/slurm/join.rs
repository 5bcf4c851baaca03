//! From a step to a world.

use super::step::Step;
use crate::base::{Config, Error, Result};
use crate::boot::rendezvous::{Candidates, Party, find, first_of, meet, resolved, sequence};
use crate::boot::{Exchange, World, launched, secret};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Joins all tasks of the step.
///
/// # Errors
/// `Error::Config` where there is no secret to prove, `Error::Fabric` where the tasks do not come together.
pub fn join(step: Step, config: &Config) -> Result<World> {
    let party = Party::new(step.rank, step.size, config)?;
    let secret = secret::of_user(config)?.derive(&format!("slurm {}", step.name));
    let ports = sequence(&secret, config.ports);
    // Without the same secret they do not even find each other's ports, so no handshake could tell.
    let hint = match config.secret {
        None => ", worked out from $HOME/.mobula/secret (where hosts have no common home, set MOBULA_SECRET)",
        Some(_) => ", worked out from MOBULA_SECRET",
    };
    let (exchange, secret): (Box<dyn Exchange>, _) = if party.rank == 0 {
        let unable = |error: std::io::Error| {
            Error::fabric(format!(
                "rank 0 cannot listen on host {}: none of the {} ports that its job may use is free, {} the first ({error}); set \
                 MOBULA_PORTS to a range with more free ones",
                party.host,
                ports.len(),
                ports[0]
            ))
        };
        let listener = first_of(ports.iter().copied()).map_err(unable)?;
        let place = format!("port {}{hint}", listener.local_addr().map_err(unable)?.port());
        let (hub, secret) = meet(listener, &party, &secret, &place)?;
        (Box::new(hub), secret)
    } else {
        let place = format!(
            "host {}, the first of the Slurm step (with --distribution=arbitrary set MOBULA_RENDEZVOUS), ports {ports:?}{hint},",
            step.first_host
        );
        let mut known: Option<Vec<IpAddr>> = None;
        let (spoke, secret) = find(&party, &place, || {
            let hosts = match &known {
                Some(hosts) => hosts.clone(),
                None => known.insert(addresses_of(&step)?).clone(),
            };
            let addresses =
                ports.iter().flat_map(|port| hosts.iter().map(|host| SocketAddr::new(*host, *port))).collect();
            Ok(Candidates { addresses, secret: secret.clone() })
        })?;
        (Box::new(spoke), secret)
    };
    // A step that speaks PMI has a daemon that may end all tasks when one dies.
    let outlives = launched::launched().is_none();
    Ok(party.world(format!("srun (Slurm {}, over TCP)", step.name), exchange, secret, outlives))
}

/// Of the host of rank 0: on that host no name need be known.
fn addresses_of(step: &Step) -> Result<Vec<IpAddr>, String> {
    if step.is_on_first_host {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    resolved(&step.first_host, 0).map(|addresses| addresses.iter().map(SocketAddr::ip).collect())
}
