//! Joins ranks that meet at MOBULA_RENDEZVOUS: at an address of rank 0's host, or through a file.

use super::Met;
use super::find::{find, located_once};
use super::listen;
use super::meet::meet;
use super::rank_spec::RankSpec;
use super::rendezvous_file::RendezvousFile;
use crate::base::config::Rendezvous;
use crate::base::{Config, Error, Rank, Result};
use crate::boot::local_offer::{self, Offer};
use crate::boot::{LocateError, World, launcher, secret, single};
use crate::transport::tcp::Addresses;
use crate::transport::tcp::handshake::Secret;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;

/// Joins the ranks that meet at `meeting_point`.
///
/// # Errors
/// `Error::Config` if this process does not know its rank or the meeting point cannot be used, `Error::Fabric` if the
/// ranks do not meet.
pub fn join(meeting_point: &Rendezvous, config: &Config) -> Result<World> {
    let numbered = launcher::rank_and_size();
    let rank = config.rank.or(numbered.map(|(rank, _)| rank));
    let size = config.size.or(numbered.map(|(_, size)| size));
    let (Some(rank), Some(size)) = (rank, size) else {
        return Err(Error::config(format!(
            "MOBULA_RENDEZVOUS={meeting_point} tells where the ranks meet, but not which rank this process is: set \
             MOBULA_RANK (from 0) and MOBULA_SIZE"
        )));
    };
    let launcher = format!("MOBULA_RENDEZVOUS={meeting_point}");
    join_at(MeetingPoint::Configured(meeting_point), (rank, size), launcher, config)
}

/// The point at which ranks meet.
pub enum MeetingPoint<'a> {
    /// The one that MOBULA_RENDEZVOUS configures.
    Configured(&'a Rendezvous),
    /// A socket on the host that all ranks are on, and the job whose ranks they are.
    OneHost { socket: &'a str, job: &'a str },
}

/// Joins the ranks that meet at `meeting_point`, as the given rank of the given number.
///
/// # Errors
/// As `join`.
pub fn join_at(
    meeting_point: MeetingPoint<'_>,
    (rank, size): (Rank, u32),
    launcher: String,
    config: &Config,
) -> Result<World> {
    let spec = RankSpec::new(rank, size, config)?;
    if size == 1 {
        return Ok(spec.world(launcher, (Box::new(single::Alone), Secret::random())));
    }
    let met = match meeting_point {
        MeetingPoint::Configured(Rendezvous::Address { host, port }) => meet_at_address(&spec, host, *port, config)?,
        MeetingPoint::Configured(Rendezvous::File(path)) => meet_through_file(&spec, path, config, || {
            Ok((listen::bind_any(config.ports), Addresses::choose(config.interface.as_deref())?.0))
        })?,
        MeetingPoint::OneHost { socket, job } => meet_on_host(&spec, socket, job, config)?,
    };
    Ok(spec.world(launcher, met))
}

/// Rank 0 listens on the loopback address, where no other host reaches it.
fn meet_on_host(spec: &RankSpec, socket: &str, job: &str, config: &Config) -> Result<Met> {
    let given = secret::given(config)?;
    let meeting_point = format!("the socket @{socket} of mpirun's job {job}");
    if spec.rank != 0 {
        return find(spec, &meeting_point, || {
            let written = RendezvousFile::decode(&local_offer::take(socket)?).ok_or(LocateError::Malformed)?;
            Ok((written.sockets(), written.proven_secret(given.as_ref())))
        });
    }
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let offer = || {
        let listener = TcpListener::bind((here, 0))?;
        let port = listener.local_addr()?.port();
        let written = RendezvousFile { secret: Secret::random(), port, addresses: vec![here] };
        let offered = Offer::open(socket, written.encode())?;
        Ok((listener, written.proven_secret(given.as_ref()), offered))
    };
    let (listener, secret, offered) = offer().map_err(|error: std::io::Error| {
        Error::fabric(format!(
            "rank 0 on host {} cannot offer the other ranks {meeting_point}: {error}; set MOBULA_RENDEZVOUS to a file \
             that all ranks see",
            spec.host
        ))
        .caused_by(&error)
    })?;
    let met = meet(listener, spec, &secret, &meeting_point);
    drop(offered);
    met
}

fn meet_at_address(spec: &RankSpec, host: &str, port: u16, config: &Config) -> Result<Met> {
    let meeting_point = Rendezvous::Address { host: host.to_string(), port }.to_string();
    // Not derived from the host: ranks may know rank 0's host by different names.
    let secret = secret::of_user(config)?.derive(&format!("rendezvous at port {port}"));
    if spec.rank == 0 {
        let listener = listen_at(spec, host, port)?;
        return meet(listener, spec, &secret, &meeting_point);
    }
    find(spec, &meeting_point, located_once(|| Ok((resolve(host, port)?, secret.clone()))))
}

fn listen_at(spec: &RankSpec, host: &str, port: u16) -> Result<TcpListener> {
    let unresolved =
        |why: LocateError| Error::config(format!("MOBULA_RENDEZVOUS={host}:{port}: {why}")).caused_by(&why);
    let addresses = resolve(host, port).map_err(unresolved)?;
    if !listen::is_local(&addresses) {
        let names: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
        return Err(Error::config(format!(
            "MOBULA_RENDEZVOUS={host}:{port}: rank 0 runs on host {}, which has no address of {host} ({}): name the \
             host of rank 0",
            spec.host,
            names.join(", ")
        )));
    }
    // An address is used as it is; a name often resolves to a loopback address on its own host and not elsewhere.
    let exact = host == "localhost" || host.parse::<IpAddr>().is_ok();
    listen::bind_at(if exact { &addresses } else { &[] }, port).map_err(|error| {
        Error::fabric(format!(
            "rank 0 cannot listen at MOBULA_RENDEZVOUS={host}:{port} on host {}: {error}; choose another port, and see \
             that no earlier run is left",
            spec.host
        ))
        .caused_by(&error)
    })
}

/// The addresses of a host, or why there are none.
pub fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, LocateError> {
    let unknown = |source| LocateError::UnknownHost { host: host.to_string(), source };
    let addresses = (host, port).to_socket_addrs().map_err(unknown)?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if addresses.is_empty() { Err(LocateError::NoAddress { host: host.to_string() }) } else { Ok(addresses) }
}

/// Rank 0's listener, and the addresses at which the others connect to it.
type Listening = (std::io::Result<TcpListener>, Vec<IpAddr>);

fn meet_through_file(
    spec: &RankSpec,
    path: &Path,
    config: &Config,
    listen: impl FnOnce() -> Result<Listening>,
) -> Result<Met> {
    let given = secret::given(config)?;
    if spec.rank == 0 {
        let unable = |error: std::io::Error| {
            Error::fabric(format!(
                "rank 0 cannot listen on host {} for the ranks that meet at {}: {error}",
                spec.host,
                path.display()
            ))
            .caused_by(&error)
        };
        let (listener, addresses) = listen()?;
        let listener = listener.map_err(unable)?;
        let port = listener.local_addr().map_err(unable)?.port();
        let file = RendezvousFile { secret: Secret::random(), port, addresses };
        let _published = file.publish(path).map_err(|error| {
            Error::config(format!("{}, through which the ranks meet: rank 0 cannot write it: {error}", path.display()))
                .caused_by(&error)
        })?;
        let meeting_point = format!("{} (port {port})", path.display());
        return meet(listener, spec, &file.proven_secret(given.as_ref()), &meeting_point);
    }
    let mut last_read = None;
    let met = find(spec, &path.display().to_string(), || {
        let file = last_read.insert(RendezvousFile::read(path)?);
        Ok((file.sockets(), file.proven_secret(given.as_ref())))
    });
    if let (Err(_), Some(file)) = (&met, &last_read) {
        // Rank 0, which removes the file, may have been killed.
        file.remove(path);
    }
    met
}
