"""What the popovers of a lesson's header hold: Data, Save and the replay links of Share."""
