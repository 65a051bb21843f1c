"""The workbench: what each definition of churn would have said, and which one the log speaks for."""
