/* The open Sinew IMU profile in C99, for firmware: packets, commands and answers as bytes.
 *
 * The profile itself, with the rules of state and time around these bytes, is docs/firmware-open-profile.md. Here is no
 * allocation, no floating point, no global state, nothing of the C library, and no dependence on byte order or on how a
 * compiler lays out a struct. Copy sinew_imu.h, sinew_imu.c and sinew_imu_profile.h into your firmware.
 *
 * Every encoder writes to `out`, which has room for `capacity` bytes, and sets `*length` to the bytes written. Where it
 * returns an error, `*length` is 0 and what stands in `out` is of no use.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SINEW_IMU_H
#define SINEW_IMU_H

#include <stddef.h>
#include <stdint.h>

#include "sinew_imu_profile.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sinew_imu_error {
    SINEW_IMU_ERROR_NONE = 0,
    SINEW_IMU_ERROR_NO_ROOM,  /* `capacity` is too small */
    SINEW_IMU_ERROR_BAD_VALUE /* the profile has no such value: no samples, an unknown flag, a rate or range of 0 */
};

/* ------------------------------------------------------------------------------------------------------- packets */

/* Samples that one notification can carry at this ATT MTU; 0: none, as of nine axes below an MTU of 29.
 * `flags` as in the packet; with SINEW_IMU_FLAG_NINE_AXES a sample has nine readings, otherwise six. */
uint8_t sinew_imu_packet_capacity(uint16_t mtu, uint8_t flags);

/* A notification of `count` samples, each of six or nine `readings`: acceleration x y z, angular rate x y z, and with
 * nine the magnetic field x y z. `flags`: values of enum sinew_imu_flag, or'ed.
 * `sequence`: number of the first sample, cut to 16 bits. `time_us`: when it was taken, the clock cut to 32 bits. */
enum sinew_imu_error sinew_imu_encode_packet(uint8_t flags, uint16_t sequence, uint32_t time_us,
                                             const int16_t *readings, uint8_t count,
                                             uint8_t *out, size_t capacity, size_t *length);

/* ------------------------------------------------------------------------------------------------------ commands */

/* What a gateway asks; of `with` the member that `opcode` names. */
struct sinew_imu_command {
    uint8_t opcode; /* enum sinew_imu_opcode, or, where the command is refused, whatever came */
    union {
        struct { uint32_t rate_mhz; uint8_t batch; uint8_t axes; } start; /* rate 0: your own; axes: 6 or 9 */
        struct { uint8_t acc_g; uint16_t gyr_dps; } ranges;               /* 0: as it is */
        struct { uint8_t duration_s; } identify;                          /* 0: end it */
        struct { uint32_t token; } time;
        struct { uint16_t first; uint16_t count; } resend;
    } with;
};

/* Read what was written to the control point. SINEW_IMU_STATUS_OK: do it, then answer. Any other status: answer with it,
 *     sinew_imu_encode_reply(command.opcode, status, ...) */
enum sinew_imu_status sinew_imu_decode_command(const uint8_t *data, size_t size, struct sinew_imu_command *command);

/* Which samples a RESEND can bring. Before the call `*first` and `*count` are what the gateway asked for; after it, what
 * is left of that, which goes into the answer. `next`: number of the next sample that will be sent anew.
 * `held`: how many before it are kept. Numbers are cut to 16 bits. */
void sinew_imu_resendable(uint16_t next, uint16_t held, uint16_t *first, uint16_t *count);

/* ------------------------------------------------------------------------------------------------------- answers */

/* What a sensor does after a START, as it really is. */
struct sinew_imu_started {
    uint32_t rate_mhz;
    uint8_t acc_range_g;    /* acceleration of 32768 steps */
    uint16_t gyr_range_dps; /* angular rate of 32768 steps */
    uint16_t stream;        /* another one after power-on and after every STOP */
    uint64_t clock_us;      /* since power-on, never back */
    uint16_t mag_range_ut;  /* magnetic field of 32768 steps; 0: the stream has six axes */
};

/* The answer to a START that worked: 19 bytes, with nine axes 21. */
enum sinew_imu_error sinew_imu_encode_started(const struct sinew_imu_started *started,
                                              uint8_t *out, size_t capacity, size_t *length);

/* The answer to RANGES that worked: what the chip took. */
enum sinew_imu_error sinew_imu_encode_ranges(uint8_t acc_range_g, uint16_t gyr_range_dps,
                                             uint8_t *out, size_t capacity, size_t *length);

/* The answer to TIME: the command's token, the clock when it came, and how long ago that is. */
enum sinew_imu_error sinew_imu_encode_time(uint32_t token, uint64_t clock_us, uint32_t held_us,
                                           uint8_t *out, size_t capacity, size_t *length);

/* The answer to RESEND that worked: what sinew_imu_resendable left. */
enum sinew_imu_error sinew_imu_encode_resending(uint16_t first, uint16_t count,
                                                uint8_t *out, size_t capacity, size_t *length);

/* The answer to STOP and IDENTIFY, and every refusal. `opcode` as it came. */
enum sinew_imu_error sinew_imu_encode_reply(uint8_t opcode, enum sinew_imu_status status,
                                            uint8_t *out, size_t capacity, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
