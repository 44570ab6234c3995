-- Takes away what penstock sql-setup made, the last first. It can be run again.
{{.Drops}}

{{.Stays}}
