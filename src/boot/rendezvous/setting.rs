//! Meeting where MOBULA_RENDEZVOUS says: at an address of rank 0's host, or through a file.

use super::file::Notice;
use super::find::{Candidates, find};
use super::listen;
use super::meet::meet;
use super::party::Party;
use crate::base::config::Rendezvous;
use crate::base::{Config, Error, Rank, Result};
use crate::boot::{Exchange, World, launched, secret, single};
use crate::transport::tcp::Addresses;
use crate::transport::tcp::handshake::Secret;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;

/// Joins the ranks that meet there.
///
/// # Errors
/// `Error::Config` where this process does not know its rank or the place is of no use, `Error::Fabric` where the ranks do
/// not come together.
pub fn join(place: &Rendezvous, config: &Config) -> Result<World> {
    let numbered = launched::numbered();
    let rank = config.rank.or(numbered.map(|(rank, _)| rank));
    let size = config.size.or(numbered.map(|(_, size)| size));
    let (Some(rank), Some(size)) = (rank, size) else {
        return Err(Error::config(format!(
            "MOBULA_RENDEZVOUS={place} says where the ranks meet, but not which rank this process is: set MOBULA_RANK (from 0) \
             and MOBULA_SIZE"
        )));
    };
    let launcher = format!("MOBULA_RENDEZVOUS={place}");
    join_at(Place::Said(place), (rank, size), launcher, config)
}

/// Where ranks meet.
pub enum Place<'a> {
    /// Where MOBULA_RENDEZVOUS says.
    Said(&'a Rendezvous),
    /// Through this file, on the host that all of them are on.
    OneHost(&'a Path),
}

/// Joins the ranks that meet there, of which this is one of so many.
///
/// # Errors
/// As `join`.
pub fn join_at(place: Place<'_>, (rank, size): (Rank, u32), launcher: String, config: &Config) -> Result<World> {
    let party = Party::new(rank, size, config)?;
    if size == 1 {
        return Ok(party.world(launcher, Box::new(single::Alone), Secret::random(), true));
    }
    let (exchange, secret) = match place {
        Place::Said(Rendezvous::Address { host, port }) => at_address(&party, host, *port, config)?,
        Place::Said(Rendezvous::File(path)) => at_file(&party, path, config, || {
            Ok((listen::anywhere(config.ports), Addresses::choose(config.interface.as_deref())?.0))
        })?,
        Place::OneHost(path) => at_file(&party, path, config, || {
            let here = IpAddr::from(Ipv4Addr::LOCALHOST);
            Ok((TcpListener::bind((here, 0)), vec![here]))
        })?,
    };
    Ok(party.world(launcher, exchange, secret, true))
}

type Met = (Box<dyn Exchange>, Secret);

fn at_address(party: &Party, host: &str, port: u16, config: &Config) -> Result<Met> {
    let place = Rendezvous::Address { host: host.to_string(), port }.to_string();
    // Ranks may know rank 0's host by different names.
    let secret = secret::of_user(config)?.derive(&format!("rendezvous at port {port}"));
    if party.rank == 0 {
        let listener = listen_at(party, host, port)?;
        let (hub, secret) = meet(listener, party, &secret, &place)?;
        return Ok((Box::new(hub), secret));
    }
    let mut known: Option<Vec<SocketAddr>> = None;
    let (spoke, secret) = find(party, &place, || {
        let addresses = match &known {
            Some(addresses) => addresses.clone(),
            None => known.insert(resolved(host, port)?).clone(),
        };
        Ok(Candidates { addresses, secret: secret.clone() })
    })?;
    Ok((Box::new(spoke), secret))
}

fn listen_at(party: &Party, host: &str, port: u16) -> Result<TcpListener> {
    let addresses =
        resolved(host, port).map_err(|why| Error::config(format!("MOBULA_RENDEZVOUS={host}:{port}: {why}")))?;
    if !listen::is_here(&addresses) {
        let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
        return Err(Error::config(format!(
            "MOBULA_RENDEZVOUS={host}:{port}: rank 0 runs on host {}, which has no address of {host} ({}): name the host of \
             rank 0",
            party.host,
            shown.join(", ")
        )));
    }
    // An address is meant as it is; a name often stands for a loopback address on its own host and not elsewhere.
    let exact = host == "localhost" || host.parse::<IpAddr>().is_ok();
    listen::at(if exact { &addresses } else { &[] }, port).map_err(|error| {
        Error::fabric(format!(
            "rank 0 cannot listen at MOBULA_RENDEZVOUS={host}:{port} on host {}: {error}; choose another port, and see that no \
             earlier run is left",
            party.host
        ))
    })
}

/// The addresses of a host, or why there are none.
pub fn resolved(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let addresses = (host, port).to_socket_addrs().map_err(|error| format!("host {host} is not known: {error}"))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if addresses.is_empty() { Err(format!("host {host} has no address")) } else { Ok(addresses) }
}

/// Where rank 0 listens, and the addresses under which the others look for it.
type Listening = (std::io::Result<TcpListener>, Vec<IpAddr>);

fn at_file(party: &Party, path: &Path, config: &Config, listen: impl FnOnce() -> Result<Listening>) -> Result<Met> {
    // The file's secret is new each time; what the user gave is proven with it.
    let given = secret::given(config)?;
    let proven = |notice: &Notice| match &given {
        Some(given) => given.derive(&crate::boot::private::hex(notice.secret.bytes())),
        None => notice.secret.clone(),
    };
    if party.rank == 0 {
        let unable = |error: std::io::Error| {
            Error::fabric(format!(
                "rank 0 cannot listen on host {} for the ranks that meet at {}: {error}",
                party.host,
                path.display()
            ))
        };
        let (listener, addresses) = listen()?;
        let listener = listener.map_err(unable)?;
        let port = listener.local_addr().map_err(unable)?.port();
        let notice = Notice { secret: Secret::random(), port, addresses };
        let _published = notice.publish(path).map_err(|error| {
            Error::config(format!("{}, through which the ranks meet: rank 0 cannot write it: {error}", path.display()))
        })?;
        let place = format!("{} (port {port})", path.display());
        let (hub, secret) = meet(listener, party, &proven(&notice), &place)?;
        return Ok((Box::new(hub), secret));
    }
    let (spoke, secret) = find(party, &path.display().to_string(), || {
        let notice = Notice::look(path)?;
        Ok(Candidates { addresses: notice.sockets(), secret: proven(&notice) })
    })?;
    Ok((Box::new(spoke), secret))
}
