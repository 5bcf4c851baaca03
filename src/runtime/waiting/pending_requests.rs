//! Requests without a response yet: the requester waits on a promise, and the response names it by a token.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::lock;
use crate::base::{Error, Rank, Result};
use crate::objects::{Promise, SerializedValue};
use crate::protocol::encode_value;
use crate::protocol::{InfoRequest, Message};
use crate::runtime::waiting::blocked_fibers::{describe_object, waiters};
use crate::runtime::{Runtime, resources};
use rustc_hash::FxHashMap as HashMap;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex};

/// Requests of one kind that have no response yet.
pub struct PendingRequests<T> {
    /// The last token; by token, the rank that was requested and the promise of its response.
    pending: Mutex<(u64, HashMap<u64, (Rank, Arc<Promise<T>>)>)>,
}

impl<T> Default for PendingRequests<T> {
    fn default() -> Self {
        PendingRequests { pending: Mutex::new((0, HashMap::default())) }
    }
}

impl<T: Send + Sync + Clone + 'static> PendingRequests<T> {
    /// Sends a request to `rank` with its token; the promise will hold the response.
    pub fn begin(&self, rank: Rank, send: impl FnOnce(u64)) -> (u64, Arc<Promise<T>>) {
        let promise = Arc::new(Promise::default());
        let token = {
            let mut pending = lock(&self.pending);
            pending.0 += 1;
            let token = pending.0;
            pending.1.insert(token, (rank, promise.clone()));
            token
        };
        send(token);
        (token, promise)
    }

    /// Drops the request: no waiter is left for its response.
    pub fn forget(&self, token: u64) {
        lock(&self.pending).1.remove(&token);
    }

    /// Sends a request to `rank` with its token, and waits for the response.
    ///
    /// # Errors
    /// Where the cluster stops, the rank dies, or the requesting task is cancelled, before there is one.
    pub fn request(&self, runtime: &'static Runtime, rank: Rank, send: impl FnOnce(u64)) -> Result<T> {
        let (_, promise) = self.begin(rank, send);
        loop {
            if let Some(response) = promise.value() {
                return Ok(response.clone());
            }
            if runtime.is_dead(rank) {
                return Err(runtime.death_of(rank));
            }
            runtime.block(1, None, |event| promise.core().when_complete(event.clone()))?;
        }
    }

    /// The response to the request with that token.
    pub fn complete(&self, token: u64, response: T) {
        let promise = lock(&self.pending).1.remove(&token);
        if let Some((_, promise)) = promise {
            drop(promise.complete(response));
        }
    }

    /// Visits the ranks of which a response is awaited.
    pub fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
        lock(&self.pending).1.values().for_each(|(requested, _)| visit(*requested));
    }

    /// `rank` is dead: completes its requests with `response`.
    pub fn on_peer_failed(&self, rank: Rank, response: impl Fn() -> T) {
        let tokens: Vec<u64> =
            lock(&self.pending).1.iter().filter(|(_, (peer, _))| *peer == rank).map(|(token, _)| *token).collect();
        tokens.into_iter().for_each(|token| self.complete(token, response()));
    }
}

impl Runtime {
    /// Requests information of a rank, which may be this one.
    ///
    /// # Errors
    /// As `PendingRequests::request`, or where the response does not decode.
    pub fn request<T: DeserializeOwned>(&'static self, rank: Rank, request: InfoRequest) -> Result<T> {
        let send = |token| self.send(rank, &Message::Request { token, request });
        let bytes = self.waiting.requests.request(self, rank, send)??;
        postcard::from_bytes(&bytes).map_err(|error| {
            Error::fabric(format!("the response of rank {rank} to {request:?} does not decode: {error}"))
                .caused_by(&error)
        })
    }
}

/// A rank requests information of this one.
pub fn on_request(runtime: &'static Runtime, from: Rank, token: u64, request: InfoRequest) {
    let bytes = match request {
        InfoRequest::Available => postcard::to_allocvec(&runtime.resources.table.available()),
        InfoRequest::Errors => postcard::to_allocvec(&runtime.output.reports.errors()),
        InfoRequest::ErrorCount => postcard::to_allocvec(&runtime.output.reports.error_count()),
        InfoRequest::Trace => postcard::to_allocvec(&runtime.output.traces.records(runtime.cluster.rank)),
        InfoRequest::Waiters => postcard::to_allocvec(&waiters(runtime)),
        InfoRequest::Object(number) => postcard::to_allocvec(&describe_object(runtime, number)),
        InfoRequest::Location(slot) => postcard::to_allocvec(&resources::location_of_slot(runtime, slot)),
    };
    let serialized = SerializedValue { bytes: bytes.unwrap_or_default(), attachments: Vec::new() };
    let response = encode_value(&runtime, &serialized, from, INLINE_BYTES_MAX).unwrap_or_default();
    runtime.send(from, &Message::Response { token, response });
}
