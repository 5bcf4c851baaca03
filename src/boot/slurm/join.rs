//! Joins the tasks of a Slurm step to a [`World`].

use super::step::SlurmStep;
use crate::base::{Config, Error, Result};
use crate::boot::rendezvous::{RankSpec, bind_first_free, find, located_once, meet, port_sequence, resolve};
use crate::boot::{LocateError, World, launcher, secret};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Joins all tasks of the step.
///
/// # Errors
/// `Error::Config` if there is no secret, `Error::Fabric` if the tasks do not meet.
pub fn join(step: SlurmStep, config: &Config) -> Result<World> {
    let spec = RankSpec::new(step.rank, step.size, config)?;
    let secret = secret::of_user(config)?.derive(&format!("slurm {}", step.name));
    let ports = port_sequence(&secret, config.ports);
    // Tasks with different secrets do not find each other's ports, so no handshake could report the difference.
    let hint = match config.secret {
        None => ", derived from $HOME/.mobula/secret (where hosts have no common home directory, set MOBULA_SECRET)",
        Some(_) => ", derived from MOBULA_SECRET",
    };
    let met = if spec.rank == 0 {
        let unable = |error: std::io::Error| {
            Error::fabric(format!(
                "rank 0 cannot listen on host {}: none of the {} ports that its job may use is free, {} the first \
                 ({error}); set MOBULA_PORTS to a range with more free ones",
                spec.host,
                ports.len(),
                ports[0]
            ))
            .caused_by(&error)
        };
        let listener = bind_first_free(ports.iter().copied()).map_err(unable)?;
        let meeting_point = format!("port {}{hint}", listener.local_addr().map_err(unable)?.port());
        meet(listener, &spec, &secret, &meeting_point)?
    } else {
        let meeting_point = format!(
            "host {}, the first of the Slurm step (with --distribution=arbitrary set MOBULA_RENDEZVOUS), ports \
            {ports:?}{hint},",
            step.first_host
        );
        let locate = || {
            let hosts = addresses_of(&step)?;
            let of = |port: &u16| hosts.iter().map(|host| SocketAddr::new(*host, *port)).collect::<Vec<_>>();
            Ok((ports.iter().flat_map(of).collect(), secret.clone()))
        };
        find(&spec, &meeting_point, located_once(locate))?
    };
    // A step with PMI has a daemon that may end all tasks when one dies.
    let survives_rank_death = launcher::detect_launcher().is_none();
    Ok(World { survives_rank_death, ..spec.world(format!("srun (Slurm {}, over TCP)", step.name), met) })
}

/// The addresses of the host of rank 0; on that host itself no name is resolved.
fn addresses_of(step: &SlurmStep) -> Result<Vec<IpAddr>, LocateError> {
    if step.is_on_first_host {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    resolve(&step.first_host, 0).map(|addresses| addresses.iter().map(SocketAddr::ip).collect())
}
