//! The same, in a build without the feature: nothing opens, and what cannot be made has no members.
