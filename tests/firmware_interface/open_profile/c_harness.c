/* Speaks the C reference's functions over pipes: a line of numbers in, a line of numbers or hex out.
 * Buffers are exactly as large as the functions are told, so that AddressSanitizer sees a single byte too many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinew_imu.h"

static unsigned long long number(void)
{
    unsigned long long value;
    if (scanf("%llu", &value) != 1)
        exit(2);
    return value;
}

static uint8_t *out;
static size_t capacity, length;

static void room(void)
{
    capacity = (size_t)number();
    out = malloc(capacity);
    length = 12345; /* every function has to set it */
}

static void tell(enum sinew_imu_error error)
{
    printf("%d ", (int)error);
    for (size_t i = 0; i < length; i++)
        printf("%02x", out[i]);
    puts("");
    free(out);
}

static void packet(void)
{
    room();
    uint8_t flags = (uint8_t)number(), count;
    uint16_t sequence = (uint16_t)number();
    uint32_t time_us = (uint32_t)number();
    count = (uint8_t)number();
    size_t total = (size_t)number();
    int16_t *readings = malloc(total * sizeof *readings);
    for (size_t i = 0; i < total; i++)
        readings[i] = (int16_t)((int)number() - 32768);
    tell(sinew_imu_encode_packet(flags, sequence, time_us, readings, count, out, capacity, &length));
    free(readings);
}

static void started(void)
{
    struct sinew_imu_started now;
    room();
    now.rate_mhz = (uint32_t)number();
    now.acc_range_g = (uint8_t)number();
    now.gyr_range_dps = (uint16_t)number();
    now.stream = (uint16_t)number();
    now.clock_us = number();
    now.mag_range_ut = (uint16_t)number();
    tell(sinew_imu_encode_started(&now, out, capacity, &length));
}

static void answer(const char *what)
{
    room();
    unsigned long long a = number(), b = number(), c = number();
    if (!strcmp(what, "ranges"))
        tell(sinew_imu_encode_ranges((uint8_t)a, (uint16_t)b, out, capacity, &length));
    else if (!strcmp(what, "time"))
        tell(sinew_imu_encode_time((uint32_t)a, b, (uint32_t)c, out, capacity, &length));
    else if (!strcmp(what, "resending"))
        tell(sinew_imu_encode_resending((uint16_t)a, (uint16_t)b, out, capacity, &length));
    else if (!strcmp(what, "reply"))
        tell(sinew_imu_encode_reply((uint8_t)a, (enum sinew_imu_status)b, out, capacity, &length));
    else
        exit(3);
}

static void command(void)
{
    size_t size = (size_t)number();
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)number();
    struct sinew_imu_command got;
    memset(&got, 0xA5, sizeof got);
    enum sinew_imu_status status = sinew_imu_decode_command(data, size, &got);
    printf("%d %u", (int)status, got.opcode);
    if (status == SINEW_IMU_STATUS_OK && got.opcode == SINEW_IMU_OPCODE_START)
        printf(" %lu %u %u", (unsigned long)got.with.start.rate_mhz, got.with.start.batch, got.with.start.axes);
    if (status == SINEW_IMU_STATUS_OK && got.opcode == SINEW_IMU_OPCODE_RANGES)
        printf(" %u %u", got.with.ranges.acc_g, got.with.ranges.gyr_dps);
    if (status == SINEW_IMU_STATUS_OK && got.opcode == SINEW_IMU_OPCODE_IDENTIFY)
        printf(" %u", got.with.identify.duration_s);
    if (status == SINEW_IMU_STATUS_OK && got.opcode == SINEW_IMU_OPCODE_TIME)
        printf(" %lu", (unsigned long)got.with.time.token);
    if (status == SINEW_IMU_STATUS_OK && got.opcode == SINEW_IMU_OPCODE_RESEND)
        printf(" %u %u", got.with.resend.first, got.with.resend.count);
    puts("");
    free(data);
}

static void resendable(void)
{
    uint16_t next = (uint16_t)number(), held = (uint16_t)number();
    uint16_t first = (uint16_t)number(), count = (uint16_t)number();
    sinew_imu_resendable(next, held, &first, &count);
    printf("%u %u\n", first, count);
}

static void uuids(void)
{
    static const uint8_t all[3][16] = { SINEW_IMU_SERVICE_UUID, SINEW_IMU_DATA_UUID, SINEW_IMU_CONTROL_UUID };
    for (int i = 0; i < 48; i++)
        printf("%02x%s", all[i / 16][i % 16], i % 16 == 15 ? " " : "");
    puts("");
}

int main(void)
{
    char what[16];
    setvbuf(stdout, NULL, _IOLBF, 4096);
    while (scanf("%15s", what) == 1) {
        if (!strcmp(what, "packet"))
            packet();
        else if (!strcmp(what, "started"))
            started();
        else if (!strcmp(what, "command"))
            command();
        else if (!strcmp(what, "resendable"))
            resendable();
        else if (!strcmp(what, "capacity")) {
            uint16_t mtu = (uint16_t)number();
            printf("%u\n", sinew_imu_packet_capacity(mtu, (uint8_t)number()));
        } else if (!strcmp(what, "uuids"))
            uuids();
        else
            answer(what);
    }
    return 0;
}
