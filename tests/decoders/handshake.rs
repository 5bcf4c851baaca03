//! The handshake of two ends of a connection, with somebody in between who changes what they say.

use crate::base::Rank;
use crate::transport::tcp::handshake::{
    ANSWER_BYTES, Client, Distrust, HELLO_BYTES, PROOF_BYTES, Parties, Purpose, Secret, Server,
};

/// Who connects, and to whom.
pub const PARTIES: Parties = Parties { purpose: Purpose::Road, client: 3, server: 5 };

/// How the bytes of a whole handshake are changed: each 3 bytes of input are a place and what is added there.
type Changes<'a> = &'a [[u8; 3]];

/// Bytes as changes of a handshake between two ranks of one job, and as the words of a stranger. Ranks trust each other where
/// nothing that matters was changed, and a stranger proves nothing.
pub fn handshake(bytes: &[u8]) {
    let (changes, _) = bytes.as_chunks::<3>();
    let outcome = shake(changes);
    if changes.iter().all(|[_, _, change]| *change == 0) {
        assert_eq!(outcome, Ok(PARTIES));
    } else if let Ok(trusted) = outcome {
        // Changes may undo each other. Else one of the three was not as it was said, and each is signed or a signature.
        assert_eq!((trusted, undone(changes)), (PARTIES, true), "a changed handshake was trusted");
    }
    stranger(bytes);
}

/// A handshake whose words are changed on their way.
fn shake(changes: Changes<'_>) -> Result<Parties, Distrust> {
    let secret = Secret::from_bytes([7; 32]);
    let client = Client::new(&secret, PARTIES);
    let hello: [u8; HELLO_BYTES] = changed(client.hello(), changes, 0);
    let server = Server::new(&secret, PARTIES.purpose, PARTIES.server, &hello).map_err(|(distrust, _)| distrust)?;
    let answer: [u8; ANSWER_BYTES] = changed(server.answer(), changes, HELLO_BYTES);
    let proof: [u8; PROOF_BYTES] = changed(&client.answered(&answer)?, changes, HELLO_BYTES + ANSWER_BYTES);
    server.proven(&proof)
}

/// What arrives of `said`, which begins at `begin` of all that is said.
fn changed<const BYTES: usize>(said: &[u8; BYTES], changes: Changes<'_>, begin: usize) -> [u8; BYTES] {
    let mut heard = *said;
    for [low, high, change] in changes {
        let place = place([*low, *high]).checked_sub(begin);
        if let Some(byte) = place.and_then(|place| heard.get_mut(place)) {
            *byte ^= change;
        }
    }
    heard
}

fn place(bytes: [u8; 2]) -> usize {
    usize::from(u16::from_le_bytes(bytes)) % (HELLO_BYTES + ANSWER_BYTES + PROOF_BYTES)
}

fn undone(changes: Changes<'_>) -> bool {
    let mut sums = [0u8; HELLO_BYTES + ANSWER_BYTES + PROOF_BYTES];
    changes.iter().for_each(|[low, high, change]| sums[place([*low, *high])] ^= change);
    sums.iter().all(|sum| *sum == 0)
}

/// Words of one who does not hold the secret, to a server and to a client.
fn stranger(bytes: &[u8]) {
    let secret = Secret::from_bytes([9; 32]);
    if let Some((hello, rest)) = bytes.split_first_chunk::<HELLO_BYTES>() {
        let me: Rank = PARTIES.server;
        match (Server::new(&secret, Purpose::Road, me, hello), rest.first_chunk::<PROOF_BYTES>()) {
            (Ok(server), Some(proof)) => assert_eq!(server.proven(proof), Err(Distrust::Secret)),
            (Ok(_), None) => {}
            (Err((distrust, _)), _) => assert!(!distrust.to_string().is_empty()),
        }
    }
    if let Some(answer) = bytes.first_chunk::<ANSWER_BYTES>() {
        assert!(Client::new(&secret, PARTIES).answered(answer).is_err());
    }
}
