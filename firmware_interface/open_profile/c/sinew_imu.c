/* The open Sinew IMU profile in C99: see sinew_imu.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sinew_imu.h"

#include <stdbool.h>

#define ANSWER 0x80u /* added to the opcode that is answered */
#define ALL_FLAGS ((unsigned)SINEW_IMU_FLAG_NINE_AXES | (unsigned)SINEW_IMU_FLAG_RESENT)

/* --------------------------------------------------------------------------------------------------------- bytes */

/* Numbers are taken apart and put together by shifts, so that byte order and alignment do not matter. */

struct writer {
    uint8_t *out;
    size_t capacity;
    size_t length; /* also counts what had no room */
};

static void put(struct writer *to, uint64_t value, unsigned bytes)
{
    for (; bytes > 0; bytes--, value >>= 8) {
        if (to->length < to->capacity)
            to->out[to->length] = (uint8_t)(value & 0xFFu);
        to->length++;
    }
}

static enum sinew_imu_error end(const struct writer *to, size_t *length)
{
    bool fits = to->length <= to->capacity;
    *length = fits ? to->length : 0;
    return fits ? SINEW_IMU_ERROR_NONE : SINEW_IMU_ERROR_NO_ROOM;
}

static enum sinew_imu_error refuse(size_t *length)
{
    *length = 0;
    return SINEW_IMU_ERROR_BAD_VALUE;
}

static struct writer answer(uint8_t opcode, enum sinew_imu_status status, uint8_t *out, size_t capacity)
{
    struct writer to = { out, capacity, 0 };
    put(&to, opcode | ANSWER, 1);
    put(&to, (uint64_t)status, 1);
    return to;
}

struct reader {
    const uint8_t *data;
    size_t size;
    size_t next; /* beyond `size` where fields were missing */
};

static uint32_t get(struct reader *from, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++, from->next++)
        if (from->next < from->size)
            value |= (uint32_t)from->data[from->next] << (8 * i);
    return value;
}

static uint8_t get_u8(struct reader *from) { return (uint8_t)get(from, 1); }
static uint16_t get_u16(struct reader *from) { return (uint16_t)get(from, 2); }

/* ------------------------------------------------------------------------------------------------------- packets */

static unsigned axes(unsigned flags) { return flags & SINEW_IMU_FLAG_NINE_AXES ? 9 : 6; }

uint8_t sinew_imu_packet_capacity(uint16_t mtu, uint8_t flags)
{
    unsigned around = SINEW_IMU_ATT_HEADER_BYTES + SINEW_IMU_PACKET_HEADER_BYTES;
    unsigned samples = mtu > around ? (mtu - around) / (2 * axes(flags)) : 0;
    return (uint8_t)(samples < 255 ? samples : 255);
}

enum sinew_imu_error sinew_imu_encode_packet(uint8_t flags, uint16_t sequence, uint32_t time_us,
                                             const int16_t *readings, uint8_t count,
                                             uint8_t *out, size_t capacity, size_t *length)
{
    if (count == 0 || (flags & ~ALL_FLAGS) != 0)
        return refuse(length);
    struct writer to = { out, capacity, 0 };
    put(&to, SINEW_IMU_VERSION | (unsigned)flags, 1);
    put(&to, count, 1);
    put(&to, sequence, 2);
    put(&to, time_us, 4);
    for (size_t i = 0; i < (size_t)count * axes(flags); i++)
        put(&to, (uint16_t)readings[i], 2);
    return end(&to, length);
}

/* ------------------------------------------------------------------------------------------------------ commands */

enum sinew_imu_status sinew_imu_decode_command(const uint8_t *data, size_t size, struct sinew_imu_command *command)
{
    struct reader from = { data, size, 0 };
    bool good = true;
    command->opcode = size > 0 ? get_u8(&from) : 0;
    switch (command->opcode) {
    case SINEW_IMU_OPCODE_START:
        command->with.start.rate_mhz = get(&from, 4);
        command->with.start.batch = get_u8(&from);
        command->with.start.axes = from.next < size ? get_u8(&from) : 6;
        good = command->with.start.batch > 0 && (command->with.start.axes == 6 || command->with.start.axes == 9);
        break;
    case SINEW_IMU_OPCODE_STOP:
        break;
    case SINEW_IMU_OPCODE_RANGES:
        command->with.ranges.acc_g = get_u8(&from);
        command->with.ranges.gyr_dps = get_u16(&from);
        break;
    case SINEW_IMU_OPCODE_IDENTIFY:
        command->with.identify.duration_s = get_u8(&from);
        break;
    case SINEW_IMU_OPCODE_TIME:
        command->with.time.token = get(&from, 4);
        break;
    case SINEW_IMU_OPCODE_RESEND:
        command->with.resend.first = get_u16(&from);
        command->with.resend.count = get_u16(&from);
        good = command->with.resend.count > 0;
        break;
    default:
        return SINEW_IMU_STATUS_UNKNOWN_OPCODE;
    }
    return good && from.next == size ? SINEW_IMU_STATUS_OK : SINEW_IMU_STATUS_BAD_PARAMETER;
}

void sinew_imu_resendable(uint16_t next, uint16_t held, uint16_t *first, uint16_t *count)
{
    uint16_t age = (uint16_t)(next - *first);
    uint16_t too_old = (uint16_t)(age > held ? age - held : 0);
    uint16_t past = *count < age ? *count : age;
    *count = (uint16_t)(past > too_old ? past - too_old : 0);
    if (*count > 0)
        *first = (uint16_t)(*first + too_old);
}

/* ------------------------------------------------------------------------------------------------------- answers */

enum sinew_imu_error sinew_imu_encode_started(const struct sinew_imu_started *started,
                                              uint8_t *out, size_t capacity, size_t *length)
{
    if (started->rate_mhz == 0 || started->acc_range_g == 0 || started->gyr_range_dps == 0)
        return refuse(length);
    struct writer to = answer(SINEW_IMU_OPCODE_START, SINEW_IMU_STATUS_OK, out, capacity);
    put(&to, started->rate_mhz, 4);
    put(&to, started->acc_range_g, 1);
    put(&to, started->gyr_range_dps, 2);
    put(&to, started->stream, 2);
    put(&to, started->clock_us, 8);
    if (started->mag_range_ut > 0)
        put(&to, started->mag_range_ut, 2);
    return end(&to, length);
}

enum sinew_imu_error sinew_imu_encode_ranges(uint8_t acc_range_g, uint16_t gyr_range_dps,
                                             uint8_t *out, size_t capacity, size_t *length)
{
    if (acc_range_g == 0 || gyr_range_dps == 0)
        return refuse(length);
    struct writer to = answer(SINEW_IMU_OPCODE_RANGES, SINEW_IMU_STATUS_OK, out, capacity);
    put(&to, acc_range_g, 1);
    put(&to, gyr_range_dps, 2);
    return end(&to, length);
}

enum sinew_imu_error sinew_imu_encode_time(uint32_t token, uint64_t clock_us, uint32_t held_us,
                                           uint8_t *out, size_t capacity, size_t *length)
{
    struct writer to = answer(SINEW_IMU_OPCODE_TIME, SINEW_IMU_STATUS_OK, out, capacity);
    put(&to, token, 4);
    put(&to, clock_us, 8);
    put(&to, held_us, 4);
    return end(&to, length);
}

enum sinew_imu_error sinew_imu_encode_resending(uint16_t first, uint16_t count,
                                                uint8_t *out, size_t capacity, size_t *length)
{
    struct writer to = answer(SINEW_IMU_OPCODE_RESEND, SINEW_IMU_STATUS_OK, out, capacity);
    put(&to, first, 2);
    put(&to, count, 2);
    return end(&to, length);
}

enum sinew_imu_error sinew_imu_encode_reply(uint8_t opcode, enum sinew_imu_status status,
                                            uint8_t *out, size_t capacity, size_t *length)
{
    struct writer to = answer(opcode, status, out, capacity);
    return end(&to, length);
}
