//! Why a request about a name fails.

use crate::base::Error;
use serde::{Deserialize, Serialize};

/// Why a name is not given, or why no actor has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NameError {
    /// It was given before.
    #[error("the name {name:?} belongs to another actor")]
    Taken {
        /// The name.
        name: String,
    },
    /// It was not given, or is free again.
    #[error("no actor has the name {name:?}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The actor is of another type than requested.
    #[error("the actor named {name:?} is a {actual}, not a {requested}")]
    OtherType {
        /// The name.
        name: String,
        /// The actor's type.
        actual: String,
        /// The requested type.
        requested: String,
    },
    /// A rank sent something else than the handle of an actor.
    #[error("the attachment is no handle")]
    NoHandle,
    /// The handle cannot be sent or received, or the directory rank died.
    #[error(transparent)]
    Failed(#[from] Error),
}
