//! What a component may use. Every budget is per batch; fuel, time and calls grow with the rows of the batch.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Units of work: about one per instruction, the same in every run.
    pub fuel: u64,
    pub fuel_per_row: u64,
    pub memory_bytes: usize,
    /// Wall-clock time, host functions included.
    pub wall: Duration,
    pub wall_per_row: Duration,
    /// Of the answer; also bounds what one call of a host function hands over.
    pub output_bytes: usize,
    pub output_bytes_per_row: usize,
    pub host_calls: u64,
    pub host_calls_per_row: u64,
    /// What is logged beyond it is dropped, and a last line says so.
    pub log_bytes: usize,
    /// Of the file of a component.
    pub component_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: 50_000_000,
            fuel_per_row: 50_000,
            memory_bytes: 64 << 20,
            wall: Duration::from_secs(2),
            wall_per_row: Duration::from_micros(20),
            output_bytes: 16 << 20,
            output_bytes_per_row: 1_024,
            host_calls: 1_000,
            host_calls_per_row: 10,
            log_bytes: 64 << 10,
            component_bytes: 32 << 20,
        }
    }
}

impl Limits {
    /// For extensions that see a whole planning problem at once (territories, forecasts): more of everything.
    pub fn planning() -> Limits {
        Limits {
            fuel: 200_000_000_000,
            memory_bytes: 256 << 20,
            wall: Duration::from_secs(60),
            wall_per_row: Duration::from_micros(200),
            ..Limits::default()
        }
    }

    /// The defaults of a point.
    pub fn of(point: attain_domain::point::Point) -> Limits {
        use attain_domain::point::Point;
        match point {
            Point::Territory | Point::Quota | Point::Forecast | Point::Insight | Point::Payout => Limits::planning(),
            Point::Connector => Limits { wall: Duration::from_secs(30), memory_bytes: 256 << 20, ..Limits::default() },
            Point::Crediting | Point::Compensation | Point::Kpi => Limits { memory_bytes: 128 << 20, ..Limits::default() },
        }
    }
}
