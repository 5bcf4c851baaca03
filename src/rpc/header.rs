//! The two messages of the short path. Their first byte begins no other message.

use crate::base::{ObjectId, Rank};
use crate::rpc::plain::PLAIN_BYTES_MAX;

const CALL: u8 = 0xfe;
const RETURN: u8 = 0xfd;
const METHOD_CALL: u8 = 0xfc;

/// Bytes of a call before its arguments: its kind, their length, and three numbers.
const CALL_FIXED: usize = 26;

/// The same of a call of an actor, which has three numbers more.
const METHOD_CALL_FIXED: usize = 50;

/// Bytes of a result before its value: its kind, the length, and a number.
const RETURN_FIXED: usize = 10;

/// The actor that a call is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShortTarget {
    /// The actor.
    pub actor: ObjectId,
    /// The number of the task that makes the call: calls of an actor keep the order of their caller.
    pub caller: u64,
}

/// From a caller: call a function, or a method of an actor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShortCall<'a> {
    /// The call's number at its caller.
    pub number: u64,
    /// The function's key.
    pub function: u64,
    /// The number of the task in recorded graphs; 0 if it is not recorded.
    pub recorded: u64,
    /// The actor, if it is a call of one.
    pub target: Option<ShortTarget>,
    /// The arguments, plain.
    pub args: &'a [u8],
}

/// To a caller: the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShortReturn<'a> {
    /// The call's number at its caller.
    pub number: u64,
    /// The result, plain.
    pub value: &'a [u8],
}

/// True if these bytes claim to be a message of the short path.
#[inline]
pub fn is_short_message(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(&CALL | &RETURN | &METHOD_CALL))
}

/// What follows the kind and the length: exactly that much behind `fixed` bytes.
fn checked(bytes: &[u8], kind: u8, fixed: usize) -> Option<&[u8]> {
    let ([first, length], rest) = bytes.split_first_chunk()?;
    let whole = fixed + usize::from(*length);
    (*first == kind && usize::from(*length) <= PLAIN_BYTES_MAX && bytes.len() == whole).then_some(rest)
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

/// A message of the short path as it is sent.
pub struct ShortBytes {
    length: usize,
    bytes: [u8; METHOD_CALL_FIXED + PLAIN_BYTES_MAX],
}

impl ShortBytes {
    #[inline]
    fn new<const FIXED: usize>(kind: u8, numbers: &[u64], plain: &[u8]) -> ShortBytes {
        let mut bytes = [kind; METHOD_CALL_FIXED + PLAIN_BYTES_MAX];
        for (space, number) in bytes[2..FIXED].chunks_exact_mut(8).zip(numbers) {
            space.copy_from_slice(&number.to_le_bytes());
        }
        // Senders have no more than fits.
        let length = plain.len().min(PLAIN_BYTES_MAX);
        bytes[1] = length as u8;
        bytes[FIXED..FIXED + length].copy_from_slice(&plain[..length]);
        ShortBytes { length: FIXED + length, bytes }
    }

    /// The bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<'a> ShortCall<'a> {
    /// The message as it is sent.
    #[inline]
    pub fn encode(&self) -> ShortBytes {
        let ShortCall { number, function, recorded, target, args } = *self;
        match target {
            None => ShortBytes::new::<CALL_FIXED>(CALL, &[number, function, recorded], args),
            Some(ShortTarget { actor, caller }) => {
                let numbers = [number, function, recorded, caller, actor.number, u64::from(actor.owner)];
                ShortBytes::new::<METHOD_CALL_FIXED>(METHOD_CALL, &numbers, args)
            }
        }
    }

    /// Reads the message; `None` if it is none, or is cut, or too long.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Option<ShortCall<'a>> {
        let is_method = bytes.first() == Some(&METHOD_CALL);
        let (kind, fixed) = if is_method { (METHOD_CALL, METHOD_CALL_FIXED) } else { (CALL, CALL_FIXED) };
        let (number, rest) = take_u64(checked(bytes, kind, fixed)?)?;
        let (function, rest) = take_u64(rest)?;
        let (recorded, rest) = take_u64(rest)?;
        if !is_method {
            return Some(ShortCall { number, function, recorded, target: None, args: rest });
        }
        let (caller, rest) = take_u64(rest)?;
        let (actor, rest) = take_u64(rest)?;
        let (owner, args) = take_u64(rest)?;
        let actor = ObjectId { owner: Rank::try_from(owner).ok()?, number: actor };
        Some(ShortCall { number, function, recorded, target: Some(ShortTarget { actor, caller }), args })
    }
}

impl<'a> ShortReturn<'a> {
    /// The message as it is sent.
    #[inline]
    pub fn encode(&self) -> ShortBytes {
        ShortBytes::new::<RETURN_FIXED>(RETURN, &[self.number], self.value)
    }

    /// Reads the message; `None` if it is none, or is cut, or too long.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Option<ShortReturn<'a>> {
        let (number, value) = take_u64(checked(bytes, RETURN, RETURN_FIXED)?)?;
        Some(ShortReturn { number, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_whole_and_cut_ones_are_refused() {
        let actor = ObjectId { owner: Rank::MAX, number: 1 << 50 };
        for target in [None, Some(ShortTarget { actor, caller: 1 << 45 })] {
            let args = &[9; PLAIN_BYTES_MAX];
            whole_or_refused(ShortCall { number: u64::MAX - 1, function: 7, recorded: 1 << 40, target, args });
        }
    }

    fn whole_or_refused(call: ShortCall<'_>) {
        let answer = ShortReturn { number: 1 << 63, value: &[3; 8] };
        let (mut called, answered) = (call.encode().as_slice().to_vec(), answer.encode().as_slice().to_vec());
        assert_eq!((ShortCall::decode(&called), ShortReturn::decode(&called)), (Some(call), None));
        assert_eq!((ShortReturn::decode(&answered), ShortCall::decode(&answered)), (Some(answer), None));
        assert!((0..called.len()).all(|length| ShortCall::decode(&called[..length]).is_none()));
        assert!((0..RETURN_FIXED).all(|length| ShortReturn::decode(&answered[..length]).is_none()));
        called.push(0);
        assert_eq!(ShortCall::decode(&called), None, "a byte too many");
        called[1] += 1;
        assert_eq!(ShortCall::decode(&called), None, "more than fits");
        assert!(is_short_message(&called) && is_short_message(&answered) && !is_short_message(&[]));
    }

    #[test]
    fn owner_that_is_no_rank_is_refused() {
        let target = ShortTarget { actor: ObjectId { owner: 1, number: 2 }, caller: 3 };
        let call = ShortCall { number: 4, function: 5, recorded: 0, target: Some(target), args: &[6] };
        let mut bytes = call.encode().as_slice().to_vec();
        assert_eq!(ShortCall::decode(&bytes), Some(call));
        bytes[METHOD_CALL_FIXED - 1] = 1;
        assert_eq!(ShortCall::decode(&bytes), None);
    }
}
