//! The handshake of a connection, with an attacker in between who changes its messages.

use crate::base::Rank;
use crate::transport::tcp::handshake::{
    Client, ConnectionPurpose, Endpoints, HELLO_BYTES, HandshakeError, PROOF_BYTES, RESPONSE_BYTES, Secret, Server,
};

/// The rank that connects, and the rank that accepts.
pub const ENDPOINTS: Endpoints = Endpoints { purpose: ConnectionPurpose::Transport, client: 3, server: 5 };

/// Changes to the bytes of a whole handshake: each 3 bytes of input are an index and the bits to flip there.
type Changes<'a> = &'a [[u8; 3]];

/// Takes bytes as changes to a handshake between two ranks of one job, and as the messages of an unknown peer. The
/// ranks trust each other if no significant byte was changed; the unknown peer cannot authenticate itself.
pub fn handshake(bytes: &[u8]) {
    let (changes, _) = bytes.as_chunks::<3>();
    let outcome = run_handshake(changes);
    if changes.iter().all(|[_, _, change]| *change == 0) {
        assert_eq!(outcome, Ok(ENDPOINTS));
    } else if let Ok(trusted) = outcome {
        // Changes may undo each other. Otherwise one of the three messages differs, and each is signed or is a
        // signature.
        assert_eq!((trusted, cancel_out(changes)), (ENDPOINTS, true), "a changed handshake was trusted");
    }
    unknown_peer(bytes);
}

/// A handshake whose messages are changed on their way.
fn run_handshake(changes: Changes<'_>) -> Result<Endpoints, HandshakeError> {
    let secret = Secret::from_bytes([7; 32]);
    let client = Client::new(&secret, ENDPOINTS);
    let hello: [u8; HELLO_BYTES] = changed(client.hello(), changes, 0);
    let server = Server::new(&secret, ENDPOINTS.purpose, ENDPOINTS.server, &hello).map_err(|(error, _)| error)?;
    let response: [u8; RESPONSE_BYTES] = changed(server.response(), changes, HELLO_BYTES);
    let proof = client.verify_response(&response)?;
    let proof: [u8; PROOF_BYTES] = changed(&proof, changes, HELLO_BYTES + RESPONSE_BYTES);
    server.verify_proof(&proof)
}

/// The message `sent` as it arrives; it starts at byte `begin` of the whole handshake.
fn changed<const BYTES: usize>(sent: &[u8; BYTES], changes: Changes<'_>, begin: usize) -> [u8; BYTES] {
    let mut received = *sent;
    for [low, high, change] in changes {
        let index = index_of([*low, *high]).checked_sub(begin);
        if let Some(byte) = index.and_then(|index| received.get_mut(index)) {
            *byte ^= change;
        }
    }
    received
}

fn index_of(bytes: [u8; 2]) -> usize {
    usize::from(u16::from_le_bytes(bytes)) % (HELLO_BYTES + RESPONSE_BYTES + PROOF_BYTES)
}

/// Returns true if the changes undo each other.
fn cancel_out(changes: Changes<'_>) -> bool {
    let mut sums = [0u8; HELLO_BYTES + RESPONSE_BYTES + PROOF_BYTES];
    changes.iter().for_each(|[low, high, change]| sums[index_of([*low, *high])] ^= change);
    sums.iter().all(|sum| *sum == 0)
}

/// Messages of a peer that does not have the secret, to a server and to a client.
fn unknown_peer(bytes: &[u8]) {
    let secret = Secret::from_bytes([9; 32]);
    if let Some((hello, rest)) = bytes.split_first_chunk::<HELLO_BYTES>() {
        let me: Rank = ENDPOINTS.server;
        match (Server::new(&secret, ConnectionPurpose::Transport, me, hello), rest.first_chunk::<PROOF_BYTES>()) {
            (Ok(server), Some(proof)) => assert_eq!(server.verify_proof(proof), Err(HandshakeError::Secret)),
            (Ok(_), None) => {}
            (Err((error, _)), _) => assert!(!error.to_string().is_empty()),
        }
    }
    if let Some(response) = bytes.first_chunk::<RESPONSE_BYTES>() {
        assert!(Client::new(&secret, ENDPOINTS).verify_response(response).is_err());
    }
}
