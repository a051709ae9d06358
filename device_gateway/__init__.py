"""The gateway in a patient's home: radio, clocks, recording, the live exercise session, the local API, the uplink."""
