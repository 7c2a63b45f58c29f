"""Pages for supervisors: wallboard, reports, alarms, schedules, contract statements."""
