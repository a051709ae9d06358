"""The catalogue of exercises: one TOML file each, events carry only the code."""

from analytics.exercises.catalogue import ExerciseError, UnknownExercise, catalogue, exercise, exercise_among

__all__ = ["ExerciseError", "UnknownExercise", "catalogue", "exercise", "exercise_among"]
