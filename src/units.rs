//! Quantities with their unit in the type.
//!
//! Counts that must be exact (parameters, tokens) are whole numbers; everything that is summed and
//! scaled is an `f64`, exact up to 2^53 and free of overflow at any size a line can ask for.

use derive_more::{Add, AddAssign, From, Sub, Sum};
use serde::{Deserialize, Serialize};
use std::ops::{Div, Mul};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, Add, AddAssign, Sub, Sum, From)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            pub const ZERO: Self = Self(0.0);
            pub fn max(self, other: Self) -> Self { Self(self.0.max(other.0)) }
            pub fn min(self, other: Self) -> Self { Self(self.0.min(other.0)) }
        }
        impl Mul<f64> for $name { type Output = Self; fn mul(self, by: f64) -> Self { Self(self.0 * by) } }
        impl Div<f64> for $name { type Output = Self; fn div(self, by: f64) -> Self { Self(self.0 / by) } }
        /// A ratio of two like quantities is a plain number.
        impl Div for $name { type Output = f64; fn div(self, by: Self) -> f64 { self.0 / by.0 } }
    };
}

quantity!(/// Bytes of memory or traffic.
    Bytes);
quantity!(/// Floating-point operations; a multiply-add is two.
    Flops);
quantity!(/// Seconds.
    Seconds);
quantity!(/// Floating-point operations per second.
    FlopsPerSec);
quantity!(/// Bytes per second.
    BytesPerSec);

pub const KIB: f64 = 1024.0;
pub const MIB: f64 = 1024.0 * KIB;
pub const GIB: f64 = 1024.0 * MIB;

impl Bytes {
    pub fn gib(self) -> f64 {
        self.0 / GIB
    }
    pub fn from_gib(gib: f64) -> Self {
        Self(gib * GIB)
    }
}

impl Div<BytesPerSec> for Bytes {
    type Output = Seconds;
    fn div(self, rate: BytesPerSec) -> Seconds {
        Seconds(self.0 / rate.0)
    }
}
impl Div<FlopsPerSec> for Flops {
    type Output = Seconds;
    fn div(self, rate: FlopsPerSec) -> Seconds {
        Seconds(self.0 / rate.0)
    }
}
