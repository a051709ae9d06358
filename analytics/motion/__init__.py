"""From samples of worn sensors to joint angles and repetitions, sample by sample."""
