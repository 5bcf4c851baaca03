//! How two ends of a connection prove to each other that they hold the job's secret, before a byte of either is
//! interpreted.
//!
//! Pure: bytes in, bytes out. Challenge and response with HMAC-SHA-256; each end signs a nonce that the other has just
//! drawn, so a recording is of no use, and the two directions sign different labels, so nothing can be echoed back.
//!
//! ```text
//!   client                                   server
//!   HELLO  magic 8 | version 4 | purpose 4 | rank 4 | peer 4 | nonce 32    -->
//!        <--   magic 8 | version 4 | refusal 4 | nonce 32 | HMAC("server", hello, nonce)  RESPONSE
//!   PROOF  HMAC("client", hello, response's nonce)                         -->
//! ```
//!
//! The fields of an unauthenticated hello are compared, never used, until the proof has arrived. Later frames are
//! neither signed nor encrypted: an attacker that can change packets between the hosts can change them here too.

use crate::base::Rank;
use crate::transport::framing::{WireField, wire_struct};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Starts every hello and response; no text protocol begins like this.
const MAGIC: [u8; 8] = *b"\xffmobula\n";

/// The version of the protocol after the handshake; ranks of different versions refuse each other.
pub const WIRE_VERSION: u32 = 1;

/// Bytes of a hello, of a response, and of a proof.
pub const HELLO_BYTES: usize = 56;
/// See [`HELLO_BYTES`].
pub const RESPONSE_BYTES: usize = 80;
/// See [`HELLO_BYTES`].
pub const PROOF_BYTES: usize = 32;

const NONCE_BYTES: usize = 32;

/// [`MAGIC`]; bytes that do not begin so are no message of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Magic;

impl WireField for Magic {
    const BYTES: usize = MAGIC.len();

    fn write(self, to: &mut [u8]) {
        to.copy_from_slice(&MAGIC);
    }

    fn read(from: &[u8]) -> Option<Magic> {
        (from == MAGIC).then_some(Magic)
    }
}

wire_struct! {
    /// The client's first message.
    struct Hello [HELLO_BYTES] {
        magic: Magic,
        version: u32,
        /// A [`ConnectionPurpose`], for the server to compare.
        purpose: u32,
        client: Rank,
        server: Rank,
        nonce: [u8; NONCE_BYTES],
    }
}

wire_struct! {
    /// The server's answer; a refusal has no nonce and no signature.
    struct Response [RESPONSE_BYTES] {
        magic: Magic,
        version: u32,
        /// One of the values below, for the client to interpret once the version is its own.
        refusal: u32,
        nonce: [u8; NONCE_BYTES],
        signature: [u8; 32],
    }
}

/// A job's secret: a process that has it is a rank of the job. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one, from the system's randomness.
    ///
    /// # Panics
    /// Where the system has none.
    pub fn random() -> Secret {
        Secret(random())
    }

    /// The secret of these 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// The bytes, to pass the secret to another rank over a trusted transport.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret of one use, derived from this one by name: a job's from a user's, with the job's name.
    pub fn derive(&self, name: &str) -> Secret {
        Secret(sign(self, &[b"derive", name.as_bytes()]))
    }

    /// A secret derived from text of any length, such as the value of an environment variable.
    pub fn from_text(text: &str) -> Secret {
        Secret(sign(&Secret([0; 32]), &[b"text", text.as_bytes()]))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// The purpose of a connection. A proof for one purpose is invalid for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ConnectionPurpose {
    /// The rendezvous of the ranks at the first one.
    Rendezvous = 1,
    /// The transport between two ranks.
    Transport = 2,
}

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The other end uses another protocol.
    #[error("the other end is not mobula")]
    NotMobula,
    /// The other end is mobula of another wire version.
    #[error(
        "the other end uses version {0} of mobula's protocol and this one version {WIRE_VERSION}: start the same \
         binary on every rank"
    )]
    Version(u32),
    /// The other end proved nothing, or proved it for another job, purpose or rank.
    #[error("the other end does not hold this job's secret")]
    Secret,
    /// The other end looked for another rank than this, or another purpose.
    #[error("the other end looked for another rank or another purpose")]
    Misdirected,
}

/// The two ends of a connection and its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The purpose of the connection.
    pub purpose: ConnectionPurpose,
    /// The rank that connects.
    pub client: Rank,
    /// The rank that listens.
    pub server: Rank,
}

/// The end that connects: sends `hello`, reads [`RESPONSE_BYTES`], sends the result of `verify_response`. Then it may
/// send.
pub struct Client {
    hello: [u8; HELLO_BYTES],
    secret: Secret,
}

impl Client {
    /// A new handshake.
    pub fn new(secret: &Secret, endpoints: Endpoints) -> Client {
        let Endpoints { purpose, client, server } = endpoints;
        let (version, purpose) = (WIRE_VERSION, purpose as u32);
        let hello = Hello { magic: Magic, version, purpose, client, server, nonce: random() };
        Client { hello: hello.encode(), secret: secret.clone() }
    }

    /// The first bytes to send.
    pub fn hello(&self) -> &[u8; HELLO_BYTES] {
        &self.hello
    }

    /// Returns the proof to send, if the response authenticates the server.
    ///
    /// # Errors
    /// Why it does not.
    pub fn verify_response(&self, response: &[u8; RESPONSE_BYTES]) -> Result<[u8; PROOF_BYTES], HandshakeError> {
        let Response { version, refusal, nonce, signature, .. } =
            Response::parse(response).ok_or(HandshakeError::NotMobula)?;
        check_version(version)?;
        match refusal {
            ACCEPTED => {}
            MISDIRECTED => return Err(HandshakeError::Misdirected),
            _ => return Err(HandshakeError::NotMobula),
        }
        verify(&self.secret, &[b"server", &self.hello, &nonce], &signature)?;
        Ok(sign(&self.secret, &[b"client", &self.hello, &nonce]))
    }
}

/// The end that listens: reads [`HELLO_BYTES`], sends `response`, reads [`PROOF_BYTES`]. `verify_proof` then
/// authenticates the client.
pub struct Server {
    hello: [u8; HELLO_BYTES],
    nonce: [u8; NONCE_BYTES],
    response: [u8; RESPONSE_BYTES],
    endpoints: Endpoints,
    secret: Secret,
}

impl Server {
    /// The server's side for a hello, at rank `me`, which listens for `purpose`.
    ///
    /// # Errors
    /// Why the handshake fails here. Where the version differs or the hello is for another rank, with the response that
    /// tells so, to be sent before the connection is closed; `None` where the other end would not understand one.
    pub fn new(
        secret: &Secret,
        purpose: ConnectionPurpose,
        me: Rank,
        hello: &[u8; HELLO_BYTES],
    ) -> Result<Server, (HandshakeError, Option<[u8; RESPONSE_BYTES]>)> {
        let sent = Hello::parse(hello).ok_or((HandshakeError::NotMobula, None))?;
        check_version(sent.version).map_err(|error| (error, Some(unsigned(ACCEPTED).encode())))?;
        if sent.purpose != purpose as u32 || sent.server != me {
            return Err((HandshakeError::Misdirected, Some(unsigned(MISDIRECTED).encode())));
        }
        let nonce = random();
        let signature = sign(secret, &[b"server", hello, &nonce]);
        let response = Response { nonce, signature, ..unsigned(ACCEPTED) }.encode();
        let endpoints = Endpoints { purpose, client: sent.client, server: me };
        Ok(Server { hello: *hello, nonce, response, endpoints, secret: secret.clone() })
    }

    /// The bytes to send.
    pub fn response(&self) -> &[u8; RESPONSE_BYTES] {
        &self.response
    }

    /// Returns the authenticated ends, if the proof is valid. The caller checks that such a rank exists.
    ///
    /// # Errors
    /// `Secret` where the proof is invalid.
    pub fn verify_proof(&self, proof: &[u8; PROOF_BYTES]) -> Result<Endpoints, HandshakeError> {
        verify(&self.secret, &[b"client", &self.hello, &self.nonce], proof)?;
        Ok(self.endpoints)
    }
}

/// The values of `Response::refusal`.
const ACCEPTED: u32 = 0;
const MISDIRECTED: u32 = 1;

fn unsigned(refusal: u32) -> Response {
    Response { magic: Magic, version: WIRE_VERSION, refusal, nonce: [0; NONCE_BYTES], signature: [0; 32] }
}

fn check_version(theirs: u32) -> Result<(), HandshakeError> {
    if theirs == WIRE_VERSION { Ok(()) } else { Err(HandshakeError::Version(theirs)) }
}

fn mac(secret: &Secret, parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("HMAC takes keys of any length");
    for part in parts {
        // Lengths are signed too: parts cannot run into each other.
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac
}

fn sign(secret: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    mac(secret, parts).finalize().into_bytes().into()
}

/// In constant time.
fn verify(secret: &Secret, parts: &[&[u8]], signature: &[u8]) -> Result<(), HandshakeError> {
    mac(secret, parts).verify_slice(signature).map_err(|_| HandshakeError::Secret)
}

fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the system's randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINTS: Endpoints = Endpoints { purpose: ConnectionPurpose::Transport, client: 3, server: 5 };

    fn shake(client: &Secret, server: &Secret, endpoints: Endpoints, me: Rank) -> Result<Endpoints, HandshakeError> {
        let client = Client::new(client, endpoints);
        let server =
            Server::new(server, ConnectionPurpose::Transport, me, client.hello()).map_err(|(error, _)| error)?;
        server.verify_proof(&client.verify_response(server.response())?)
    }

    #[test]
    fn handshake_with_one_secret_succeeds() {
        let secret = Secret::random();
        assert_eq!(shake(&secret, &secret, ENDPOINTS, 5), Ok(ENDPOINTS));
    }

    #[test]
    fn different_secret_is_rejected_by_both_ends() {
        let (ours, theirs) = (Secret::random(), Secret::random());
        assert_eq!(shake(&ours, &theirs, ENDPOINTS, 5), Err(HandshakeError::Secret));
        let client = Client::new(&theirs, ENDPOINTS);
        let server =
            Server::new(&ours, ConnectionPurpose::Transport, 5, client.hello()).expect("the hello is well formed");
        assert_eq!(
            server.verify_proof(&sign(&theirs, &[b"client", client.hello(), &server.nonce])),
            Err(HandshakeError::Secret)
        );
    }

    #[test]
    fn replayed_proof_and_response_are_rejected() {
        let secret = Secret::random();
        let client = Client::new(&secret, ENDPOINTS);
        let recorded = Server::new(&secret, ConnectionPurpose::Transport, 5, client.hello()).expect("well formed");
        let proof = client.verify_response(recorded.response()).expect("the server holds the secret");
        let fresh = Server::new(&secret, ConnectionPurpose::Transport, 5, client.hello()).expect("well formed");
        assert_eq!(fresh.verify_proof(&proof), Err(HandshakeError::Secret), "each response has a nonce of its own");
        let again = Client::new(&secret, ENDPOINTS);
        assert_eq!(again.verify_response(recorded.response()), Err(HandshakeError::Secret), "so has each hello");
    }

    #[test]
    fn server_distinguishes_other_programs_versions_and_misdirected_hellos() {
        let secret = Secret::random();
        let hello = *Client::new(&secret, ENDPOINTS).hello();
        let refused = |hello: &[u8; HELLO_BYTES]| {
            Server::new(&secret, ConnectionPurpose::Transport, 5, hello)
                .err()
                .map(|(error, response)| (error, response.is_some()))
        };
        let mut other_program = hello;
        other_program[0] = b'G';
        assert_eq!(refused(&other_program), Some((HandshakeError::NotMobula, false)));
        let mut newer = hello;
        newer[8] = 9;
        assert_eq!(refused(&newer), Some((HandshakeError::Version(9), true)));
        let mut elsewhere = hello;
        elsewhere[20] = 6;
        assert_eq!(refused(&elsewhere), Some((HandshakeError::Misdirected, true)));
        assert_eq!(shake(&secret, &secret, ENDPOINTS, 6), Err(HandshakeError::Misdirected));
    }

    #[test]
    fn client_distinguishes_other_programs_from_newer_servers() {
        let client = Client::new(&Secret::random(), ENDPOINTS);
        assert_eq!(client.verify_response(&[0; RESPONSE_BYTES]), Err(HandshakeError::NotMobula));
        let mut newer = unsigned(ACCEPTED).encode();
        newer[8] = 2;
        assert_eq!(client.verify_response(&newer), Err(HandshakeError::Version(2)));
        assert_eq!(client.verify_response(&unsigned(MISDIRECTED).encode()), Err(HandshakeError::Misdirected));
        assert_eq!(client.verify_response(&unsigned(ACCEPTED).encode()), Err(HandshakeError::Secret), "unsigned");
    }

    #[test]
    fn derived_secrets_depend_on_the_name_and_are_not_printed() {
        let user = Secret::from_text("a user's");
        assert_ne!(user.derive("job 1"), user.derive("job 2"));
        assert_eq!(user.derive("job 1"), Secret::from_text("a user's").derive("job 1"));
        assert_eq!(format!("{user:?}"), "Secret(..)");
    }
}
