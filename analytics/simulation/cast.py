"""Who could be in a simulated clinic. The names belong to nobody: first and last names are drawn apart."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_NAMES = (
    "Amara", "Anders", "Aroha", "Beatriz", "Bilal", "Chiara", "Chinedu", "Daichi", "Elif", "Emeka", "Fatima",
    "Gabriel", "Hana", "Ifeoma", "Ingrid", "Ivan", "Jasmin", "Joaquín", "Kavya", "Kenji", "Leila", "Lucía",
    "Magnus", "Mei", "Mehmet", "Nadia", "Ngozi", "Nikolai", "Oluwaseun", "Oksana", "Paulo", "Priya", "Rafael",
    "Rania", "Rohan", "Saoirse", "Sione", "Tomasz", "Yusuf", "Zofia",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Almeida", "Bergström", "Castellano", "Dubois", "Eriksen", "Ferreira", "Fujimoto", "Gonçalves",
    "Haddad", "Hoffmann", "Ibarra", "Iyer", "Jansen", "Kaplan", "Kovač", "Kowalczyk", "Lindqvist",
    "MacAllister", "Mbeki", "Mehta", "Moreau", "Nakagawa", "Nguyen", "O'Rourke", "Okonjo", "Olsen", "Petrov",
    "Quispe", "Ramanathan", "Rossi", "Salazar", "Tanaka", "Tuilagi", "Vasquez", "Vermeulen", "Wójcik", "Yıldız",
    "Zhang", "Zielińska",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`share` of the clinic's patients, the range to reach, and a limit while tissue heals (excursion, days)."""

    name: str
    share: float
    goal_deg: float
    restricted: tuple[float, int] | None = None


DIAGNOSES = (
    Diagnosis("Total knee arthroplasty", 0.40, 75.0),
    Diagnosis("Partial knee arthroplasty", 0.10, 80.0),
    # The last degrees to straight load the graft most, so they are spared until it has healed.
    Diagnosis("Anterior cruciate ligament reconstruction", 0.25, 80.0, restricted=(85.0, 84)),
    Diagnosis("Meniscus repair", 0.15, 80.0),
    Diagnosis("Tibial plateau fracture, internal fixation", 0.10, 70.0),
)
