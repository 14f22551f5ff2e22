"""How somebody takes their account: a code to their own phone, by e-mail, or on sealed paper."""
