//! A GPU as data.

use serde::{Deserialize, Serialize};

/// A GPU that this process sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// The driver's number for it, from 0, after `CUDA_VISIBLE_DEVICES`.
    pub ordinal: u32,
    /// Its model.
    pub name: String,
    /// Its memory, bytes.
    pub memory_bytes: u64,
    /// Its address, `0000:17:00.0`, written as the kernel writes it.
    pub pci: String,
}

/// The GPUs that the driver shows this process; the driver honours `CUDA_VISIBLE_DEVICES`.
///
/// The first call starts the driver: hundreds of milliseconds if there is a GPU, well under one if there is none.
///
/// # Errors
/// Why there is none, for banners: the library is missing, the driver does not start, the build leaves it out.
pub fn discover() -> Result<Vec<Gpu>, super::GpuError> {
    super::driver::devices()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_returns_gpus_or_a_reason() {
        match discover() {
            Ok(gpus) => {
                for (ordinal, gpu) in gpus.iter().enumerate() {
                    assert_eq!(gpu.ordinal as usize, ordinal);
                    assert!(!gpu.name.is_empty() && gpu.memory_bytes > 0);
                    assert_eq!(gpu.pci.matches([':', '.']).count(), 3, "{}", gpu.pci);
                }
            }
            Err(error) => {
                let reason = error.to_string();
                let known = ["libcuda is not installed", "the CUDA driver", "built without the feature"];
                assert!(known.iter().any(|start| reason.starts_with(start)), "{reason}");
                assert_eq!(cfg!(feature = "cuda"), !reason.starts_with("built without"));
            }
        }
    }

    #[test]
    fn second_discovery_returns_the_same() {
        assert_eq!(discover(), discover());
    }
}
