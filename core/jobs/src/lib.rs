//! A queue with a schedule: jobs under leases with fencing. Knows nothing of sales.
