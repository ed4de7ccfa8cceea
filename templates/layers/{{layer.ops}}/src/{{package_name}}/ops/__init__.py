"""What the kit keeps fixable for years: pipelines, the gate, the registry, lineage, drift, evidence."""
