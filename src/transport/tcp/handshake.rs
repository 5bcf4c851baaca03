//! How two ends of a connection prove to each other that they hold the job's secret, before a byte of either is interpreted.
//!
//! Pure: bytes in, bytes out. Challenge and response with HMAC-SHA-256; each end answers a number that the other has just
//! made, so nothing recorded earlier is of use, and the two directions sign different words, so nothing can be echoed back.
//!
//! ```text
//!   client                                   server
//!   HELLO  magic 8 | version 4 | purpose 4 | rank 4 | peer 4 | nonce 32    -->
//!          <--   magic 8 | version 4 | refusal 4 | nonce 32 | HMAC("server", hello, nonce)  ANSWER
//!   PROOF  HMAC("client", hello, answer's nonce)                           -->
//! ```
//!
//! What is read of a stranger's hello is compared, never used, until its proof has come. What travels later is neither
//! signed nor encrypted: who can change packets between the hosts can change them here too.

use crate::base::Rank;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Starts every hello and answer; no text protocol begins like this.
const MAGIC: [u8; 8] = *b"\xffmobula\n";

/// Of what follows the handshake; ranks of different versions refuse each other.
pub const WIRE_VERSION: u32 = 1;

/// Bytes of a hello, of an answer, and of a proof.
pub const HELLO_BYTES: usize = 56;
/// See [`HELLO_BYTES`].
pub const ANSWER_BYTES: usize = 80;
/// See [`HELLO_BYTES`].
pub const PROOF_BYTES: usize = 32;

const NONCE_BYTES: usize = 32;

/// A job's secret: who has it is a rank of the job. Never printed.
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

    /// These 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// The bytes, to hand it to another rank over a road that is trusted.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret of one use, derived from this one: a job's from a user's, from the job's name.
    pub fn derive(&self, name: &str) -> Secret {
        Secret(sign(self, &[b"derive", name.as_bytes()]))
    }

    /// Secret made of text of any length, such as an environment variable holds.
    pub fn from_text(text: &str) -> Secret {
        Secret(sign(&Secret([0; 32]), &[b"text", text.as_bytes()]))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// What a connection is for. A proof for one is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Ranks meet at the first one.
    Rendezvous = 1,
    /// The road between two ranks.
    Road = 2,
}

/// Why a handshake ended without trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distrust {
    /// The other end speaks another protocol altogether.
    Stranger,
    /// It is mobula, of another wire version.
    Version(u32),
    /// It proved nothing, or for another job, purpose or rank.
    Secret,
    /// It wanted another rank than this, or another purpose.
    Misdirected,
}

impl std::fmt::Display for Distrust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Distrust::Stranger => write!(formatter, "the other end is not mobula"),
            Distrust::Version(theirs) => write!(
                formatter,
                "the other end speaks version {theirs} of mobula's protocol and this one version {WIRE_VERSION}: start the \
                 same binary on every rank"
            ),
            Distrust::Secret => write!(formatter, "the other end does not hold this job's secret"),
            Distrust::Misdirected => write!(formatter, "the other end looked for another rank or another purpose"),
        }
    }
}

/// Who talks to whom, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// What the connection is for.
    pub purpose: Purpose,
    /// The rank that connects.
    pub client: Rank,
    /// The rank that listens.
    pub server: Rank,
}

/// The end that connects: sends `hello`, reads [`ANSWER_BYTES`], sends what `answered` returns. Then it may speak.
pub struct Client {
    hello: [u8; HELLO_BYTES],
    secret: Secret,
}

impl Client {
    /// A new handshake.
    pub fn new(secret: &Secret, parties: Parties) -> Client {
        let mut hello = [0; HELLO_BYTES];
        hello[..8].copy_from_slice(&MAGIC);
        let words = [WIRE_VERSION, parties.purpose as u32, parties.client, parties.server];
        for (at, word) in words.into_iter().enumerate() {
            hello[8 + 4 * at..12 + 4 * at].copy_from_slice(&word.to_le_bytes());
        }
        hello[24..].copy_from_slice(&random::<NONCE_BYTES>());
        Client { hello, secret: secret.clone() }
    }

    /// What to send first.
    pub fn hello(&self) -> &[u8; HELLO_BYTES] {
        &self.hello
    }

    /// The proof to send, where the answer proves the server.
    ///
    /// # Errors
    /// Why it does not.
    pub fn answered(&self, answer: &[u8; ANSWER_BYTES]) -> Result<[u8; PROOF_BYTES], Distrust> {
        check_magic_and_version(answer)?;
        match word(answer, 12) {
            0 => {}
            1 => return Err(Distrust::Misdirected),
            _ => return Err(Distrust::Stranger),
        }
        let nonce = &answer[16..48];
        verify(&self.secret, &[b"server", &self.hello, nonce], &answer[48..])?;
        Ok(sign(&self.secret, &[b"client", &self.hello, nonce]))
    }
}

/// The end that listens: reads [`HELLO_BYTES`], sends `answer`, reads [`PROOF_BYTES`]. After `proven` it knows who spoke.
pub struct Server {
    hello: [u8; HELLO_BYTES],
    nonce: [u8; NONCE_BYTES],
    answer: [u8; ANSWER_BYTES],
    parties: Parties,
    secret: Secret,
}

impl Server {
    /// Of rank `me`, which listens for `purpose`, to a hello. Where the version differs or the hello is for somebody else,
    /// there is an answer that says so, to be sent before the connection is closed.
    ///
    /// # Errors
    /// Why the handshake ends here, with the answer to send, where the other end would understand one.
    pub fn new(
        secret: &Secret,
        purpose: Purpose,
        me: Rank,
        hello: &[u8; HELLO_BYTES],
    ) -> Result<Server, (Distrust, Option<[u8; ANSWER_BYTES]>)> {
        if let Err(distrust) = check_magic_and_version(hello) {
            let understands = matches!(distrust, Distrust::Version(_));
            return Err((distrust, understands.then(|| unsigned_answer(0))));
        }
        if word(hello, 12) != purpose as u32 || word(hello, 20) != me {
            return Err((Distrust::Misdirected, Some(unsigned_answer(1))));
        }
        let nonce = random::<NONCE_BYTES>();
        let mut answer = unsigned_answer(0);
        answer[16..48].copy_from_slice(&nonce);
        answer[48..].copy_from_slice(&sign(secret, &[b"server", hello, &nonce]));
        let parties = Parties { purpose, client: word(hello, 16), server: me };
        Ok(Server { hello: *hello, nonce, answer, parties, secret: secret.clone() })
    }

    /// What to send.
    pub fn answer(&self) -> &[u8; ANSWER_BYTES] {
        &self.answer
    }

    /// Who connected, where the proof holds. The caller checks that such a rank exists.
    ///
    /// # Errors
    /// `Secret` where it does not hold.
    pub fn proven(&self, proof: &[u8; PROOF_BYTES]) -> Result<Parties, Distrust> {
        verify(&self.secret, &[b"client", &self.hello, &self.nonce], proof)?;
        Ok(self.parties)
    }
}

fn unsigned_answer(refusal: u32) -> [u8; ANSWER_BYTES] {
    let mut answer = [0; ANSWER_BYTES];
    answer[..8].copy_from_slice(&MAGIC);
    answer[8..12].copy_from_slice(&WIRE_VERSION.to_le_bytes());
    answer[12..16].copy_from_slice(&refusal.to_le_bytes());
    answer
}

fn check_magic_and_version(bytes: &[u8]) -> Result<(), Distrust> {
    if bytes[..8] != MAGIC {
        return Err(Distrust::Stranger);
    }
    match word(bytes, 8) {
        WIRE_VERSION => Ok(()),
        theirs => Err(Distrust::Version(theirs)),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
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
fn verify(secret: &Secret, parts: &[&[u8]], signature: &[u8]) -> Result<(), Distrust> {
    mac(secret, parts).verify_slice(signature).map_err(|_| Distrust::Secret)
}

fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the system's randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROAD: Parties = Parties { purpose: Purpose::Road, client: 3, server: 5 };

    fn shake(client: &Secret, server: &Secret, parties: Parties, me: Rank) -> Result<Parties, Distrust> {
        let client = Client::new(client, parties);
        let server = Server::new(server, Purpose::Road, me, client.hello()).map_err(|(distrust, _)| distrust)?;
        server.proven(&client.answered(server.answer())?)
    }

    #[test]
    fn ranks_of_one_job_trust_each_other() {
        let secret = Secret::random();
        assert_eq!(shake(&secret, &secret, ROAD, 5), Ok(ROAD));
    }

    #[test]
    fn another_secret_is_noticed_by_both() {
        let (ours, theirs) = (Secret::random(), Secret::random());
        assert_eq!(shake(&ours, &theirs, ROAD, 5), Err(Distrust::Secret));
        let client = Client::new(&theirs, ROAD);
        let server = Server::new(&ours, Purpose::Road, 5, client.hello()).expect("the hello is well formed");
        assert_eq!(server.proven(&sign(&theirs, &[b"client", client.hello(), &server.nonce])), Err(Distrust::Secret));
    }

    #[test]
    fn a_replay_proves_nothing() {
        let secret = Secret::random();
        let client = Client::new(&secret, ROAD);
        let recorded = Server::new(&secret, Purpose::Road, 5, client.hello()).expect("well formed");
        let proof = client.answered(recorded.answer()).expect("the server holds the secret");
        let fresh = Server::new(&secret, Purpose::Road, 5, client.hello()).expect("well formed");
        assert_eq!(fresh.proven(&proof), Err(Distrust::Secret), "each answer has a number of its own");
        let again = Client::new(&secret, ROAD);
        assert_eq!(again.answered(recorded.answer()), Err(Distrust::Secret), "so has each hello");
    }

    #[test]
    fn strangers_versions_and_wrong_doors_are_told_apart() {
        let secret = Secret::random();
        let hello = *Client::new(&secret, ROAD).hello();
        let refused = |hello: &[u8; HELLO_BYTES]| {
            Server::new(&secret, Purpose::Road, 5, hello).err().map(|(distrust, answer)| (distrust, answer.is_some()))
        };
        let mut stranger = hello;
        stranger[0] = b'G';
        assert_eq!(refused(&stranger), Some((Distrust::Stranger, false)));
        let mut newer = hello;
        newer[8] = 9;
        assert_eq!(refused(&newer), Some((Distrust::Version(9), true)));
        let mut elsewhere = hello;
        elsewhere[20] = 6;
        assert_eq!(refused(&elsewhere), Some((Distrust::Misdirected, true)));
        assert_eq!(shake(&secret, &secret, ROAD, 6), Err(Distrust::Misdirected));
    }

    #[test]
    fn a_client_tells_a_stranger_from_a_newer_server() {
        let client = Client::new(&Secret::random(), ROAD);
        assert_eq!(client.answered(&[0; ANSWER_BYTES]), Err(Distrust::Stranger));
        let mut newer = unsigned_answer(0);
        newer[8] = 2;
        assert_eq!(client.answered(&newer), Err(Distrust::Version(2)));
        assert_eq!(client.answered(&unsigned_answer(1)), Err(Distrust::Misdirected));
        assert_eq!(client.answered(&unsigned_answer(0)), Err(Distrust::Secret), "unsigned");
    }

    #[test]
    fn secrets_are_derived_by_name_and_never_printed() {
        let user = Secret::from_text("a user's");
        assert_ne!(user.derive("job 1"), user.derive("job 2"));
        assert_eq!(user.derive("job 1"), Secret::from_text("a user's").derive("job 1"));
        assert_eq!(format!("{user:?}"), "Secret(..)");
    }
}
