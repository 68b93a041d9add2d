"""Our Amplifier modules, each with `mount(coordinator, config)`."""
