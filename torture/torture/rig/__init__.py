"""A cluster of its own to be hurt: servers and services as processes, a proxy before every connection, disks that can be full."""
