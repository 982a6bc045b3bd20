//! Doors: how jobs come in. SMTP with its proof of the sender.
