/* A sensor around the code of docs/firmware-open-profile.md: takes two samples, then obeys each command among its
 * arguments ("01 a0 86 01 00 05"), and prints what goes to the radio. */
#include <stdio.h>
#include <stdlib.h>

#include "document.c"

static uint64_t now_us;

static void print(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x%c", data[i], i + 1 < length ? ' ' : '\n');
}

int radio_notify(const uint8_t *data, size_t length) { print(data, length); return 1; }
void radio_indicate(const uint8_t *data, size_t length) { print(data, length); }
uint64_t clock_us(void) { uint64_t now = now_us; now_us += 250; return now; }
void stop_sampling(void) {}

enum sinew_imu_status start_sampling(uint32_t rate_mhz, uint8_t batch, struct sinew_imu_started *started)
{
    const struct sinew_imu_started now = { rate_mhz, 8, 1000, 1, 5000000, 0 };
    *started = now;
    return batch == 5 ? SINEW_IMU_STATUS_OK : SINEW_IMU_STATUS_NOT_SUBSCRIBED;
}

int main(int argc, char **argv)
{
    const int16_t readings[] = { READINGS };
    next_sample = 65535;
    on_fifo(readings, 2, 5000000);
    for (int i = 1; i < argc; i++) {
        uint8_t command[20];
        size_t size = 0;
        char *end;
        for (char *rest = argv[i]; *rest && size < sizeof command; rest = end)
            command[size++] = (uint8_t)strtoul(rest, &end, 16);
        now_us = 5000000;
        on_control_write(command, size);
    }
    return next_sample == 65537 ? 0 : 1;
}
