//! Answers under way: who asked waits on a cell, the answer names it by a token.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::lock;
use crate::base::{Error, Rank, Result};
use crate::objects::{Cell, Parcel};
use crate::protocol::{Message, Question};
use crate::runtime::Runtime;
use rustc_hash::FxHashMap as HashMap;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex};

/// Questions of one kind that are not answered yet.
pub struct Questions<T> {
    /// The last token, and by token whom was asked.
    open: Mutex<(u64, HashMap<u64, (Rank, Arc<Cell<T>>)>)>,
}

impl<T> Default for Questions<T> {
    fn default() -> Self {
        Questions { open: Mutex::new((0, HashMap::default())) }
    }
}

impl<T: Send + Sync + Clone + 'static> Questions<T> {
    /// Sends a question to `rank` with its token; its answer will be in the cell.
    pub fn begin(&self, rank: Rank, send: impl FnOnce(u64)) -> (u64, Arc<Cell<T>>) {
        let cell = Arc::new(Cell::default());
        let token = {
            let mut open = lock(&self.open);
            open.0 += 1;
            let token = open.0;
            open.1.insert(token, (rank, cell.clone()));
            token
        };
        send(token);
        (token, cell)
    }

    /// Nobody waits for that answer any more.
    pub fn give_up(&self, token: u64) {
        lock(&self.open).1.remove(&token);
    }

    /// Sends a question to `rank` with its token, and waits for the answer.
    ///
    /// # Errors
    /// Where the cluster stops, or the asking task is cancelled, before there is one.
    pub fn ask(&self, runtime: &'static Runtime, rank: Rank, send: impl FnOnce(u64)) -> Result<T> {
        let (_, cell) = self.begin(rank, send);
        loop {
            if let Some(answer) = cell.value() {
                return Ok(answer.clone());
            }
            if runtime.is_dead(rank) {
                return Err(runtime.death_of(rank));
            }
            runtime.block(1, None, |event| cell.core().when_complete(event.clone()))?;
        }
    }

    /// The answer to the question with that token.
    pub fn answer(&self, token: u64, answer: T) {
        let cell = lock(&self.open).1.remove(&token);
        if let Some((_, cell)) = cell {
            drop(cell.complete(answer));
        }
    }

    /// Names whom something was asked that has not answered.
    pub fn awaited(&self, note: &mut impl FnMut(Rank)) {
        lock(&self.open).1.values().for_each(|(asked, _)| note(*asked));
    }

    /// `rank` is gone: so are its answers.
    pub fn lost(&self, rank: Rank, answer: impl Fn() -> T) {
        let tokens: Vec<u64> =
            lock(&self.open).1.iter().filter(|(_, (asked, _))| *asked == rank).map(|(token, _)| *token).collect();
        tokens.into_iter().for_each(|token| self.answer(token, answer()));
    }
}

impl Runtime {
    /// Asks a rank about itself; also this one.
    ///
    /// # Errors
    /// As `Questions::ask`, or where the answer does not decode.
    pub fn ask<T: DeserializeOwned>(&'static self, rank: Rank, question: Question) -> Result<T> {
        let bytes = self.questions.ask(self, rank, |token| self.send(rank, &Message::Ask { token, question }))??;
        postcard::from_bytes(&bytes).map_err(|error| {
            Error::fabric(format!("the answer of rank {rank} to {question:?} does not decode: {error}"))
        })
    }

    /// A rank asks about this one.
    pub(super) fn on_ask(&'static self, from: Rank, token: u64, question: Question) {
        let bytes = match question {
            Question::Available => postcard::to_allocvec(&self.table.available()),
            Question::Errors => postcard::to_allocvec(&self.reports.errors()),
            Question::Trace => postcard::to_allocvec(&self.traces.records()),
            Question::Waits => postcard::to_allocvec(&self.waits()),
            Question::Object(number) => postcard::to_allocvec(&self.described_object(number)),
            Question::Home(seat) => postcard::to_allocvec(&self.home_of_seat(seat)),
        };
        let parcel = Parcel { bytes: bytes.unwrap_or_default(), attachments: Vec::new() };
        let answer = self.protocol.sealed(&self, &parcel, from, INLINE_BYTES_MAX).unwrap_or_default();
        self.send(from, &Message::Answer { token, answer });
    }
}
