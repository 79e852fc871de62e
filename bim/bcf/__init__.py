"""BCF, the BIM Collaboration Format: topics about models as small archives that programs pass to each other."""
