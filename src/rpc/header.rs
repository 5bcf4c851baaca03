//! The two messages of the short path. Their first byte begins no other message.

use crate::base::{ObjectId, Rank};
use crate::rpc::plain::PLAIN_BYTES_MAX;

const CALL: u8 = 0xfe;
const RETURN: u8 = 0xfd;
const METHOD_CALL: u8 = 0xfc;

/// Bytes of a call before its arguments: its kind, their length, and two numbers.
const CALL_FIXED: usize = 18;

/// The same of a call of an actor, which says the actor and the caller besides.
const METHOD_CALL_FIXED: usize = 38;

/// Bytes of a result before its value: its kind, the length, and a number.
const RETURN_FIXED: usize = 10;

/// Set in the length's byte if the number of a recorded task follows the arguments.
const IS_RECORDED: u8 = 0x80;
const RECORDED_BYTES: usize = 8;

/// The longest message.
const BYTES_MAX: usize = METHOD_CALL_FIXED + PLAIN_BYTES_MAX + RECORDED_BYTES;

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

/// The parts of a message of that kind: the numbers before its plain bytes, these, and the number that follows them.
#[inline]
fn parts(bytes: &[u8], kind: u8, fixed: usize) -> Option<(&[u8], &[u8], u64)> {
    let ([first, length], rest) = bytes.split_first_chunk()?;
    let plain_bytes = usize::from(*length & !IS_RECORDED);
    if *first != kind || plain_bytes > PLAIN_BYTES_MAX {
        return None;
    }
    let (numbers, rest) = rest.split_at_checked(fixed - 2)?;
    let (plain, rest) = rest.split_at_checked(plain_bytes)?;
    let recorded = match (length & IS_RECORDED != 0, take_u64(rest)) {
        (false, None) if rest.is_empty() => 0,
        (true, Some((recorded, []))) => recorded,
        _ => return None,
    };
    Some((numbers, plain, recorded))
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

/// A message of the short path as it is sent.
pub struct ShortBytes {
    length: usize,
    bytes: [u8; BYTES_MAX],
}

impl ShortBytes {
    #[inline]
    fn new(kind: u8, plain_bytes: usize) -> ShortBytes {
        let mut bytes = [kind; BYTES_MAX];
        bytes[1] = plain_bytes as u8;
        ShortBytes { length: 2, bytes }
    }

    #[inline]
    fn push(mut self, bytes: &[u8]) -> ShortBytes {
        self.bytes[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
        self
    }

    #[inline]
    fn number(self, number: u64) -> ShortBytes {
        self.push(&number.to_le_bytes())
    }

    /// The bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Senders have no more than fits.
#[inline]
fn at_most_max(plain: &[u8]) -> &[u8] {
    &plain[..plain.len().min(PLAIN_BYTES_MAX)]
}

impl<'a> ShortCall<'a> {
    /// The message as it is sent.
    #[inline]
    pub fn encode(&self) -> ShortBytes {
        let ShortCall { number, function, recorded, target, args } = *self;
        let args = at_most_max(args);
        let kind = if target.is_some() { METHOD_CALL } else { CALL };
        let mut message = ShortBytes::new(kind, args.len()).number(number).number(function);
        if let Some(ShortTarget { actor, caller }) = target {
            message = message.number(caller).number(actor.number).push(&actor.owner.to_le_bytes());
        }
        message = message.push(args);
        if recorded != 0 {
            message.bytes[1] |= IS_RECORDED;
            message = message.number(recorded);
        }
        message
    }

    /// Reads the message; `None` if it is none, or is cut, or too long.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Option<ShortCall<'a>> {
        let is_method = bytes.first() == Some(&METHOD_CALL);
        let (kind, fixed) = if is_method { (METHOD_CALL, METHOD_CALL_FIXED) } else { (CALL, CALL_FIXED) };
        let (numbers, args, recorded) = parts(bytes, kind, fixed)?;
        let (number, numbers) = take_u64(numbers)?;
        let (function, numbers) = take_u64(numbers)?;
        let target = if is_method {
            let (caller, numbers) = take_u64(numbers)?;
            let (actor, owner) = take_u64(numbers)?;
            let owner = Rank::from_le_bytes(*owner.first_chunk()?);
            Some(ShortTarget { actor: ObjectId { owner, number: actor }, caller })
        } else {
            None
        };
        Some(ShortCall { number, function, recorded, target, args })
    }
}

impl<'a> ShortReturn<'a> {
    /// The message as it is sent.
    #[inline]
    pub fn encode(&self) -> ShortBytes {
        let value = at_most_max(self.value);
        ShortBytes::new(RETURN, value.len()).number(self.number).push(value)
    }

    /// Reads the message; `None` if it is none, or is cut, or too long.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Option<ShortReturn<'a>> {
        let (numbers, value, recorded) = parts(bytes, RETURN, RETURN_FIXED)?;
        let (number, _) = take_u64(numbers).filter(|_| recorded == 0)?;
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
            for recorded in [0, 1 << 40] {
                let args = &[9; PLAIN_BYTES_MAX];
                whole_or_refused(ShortCall { number: u64::MAX - 1, function: 7, recorded, target, args });
            }
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
}
