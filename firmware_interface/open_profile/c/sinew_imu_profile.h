/* Constants of the open Sinew profile, made by tools/open_profile.py from definition.toml: change them there.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SINEW_IMU_PROFILE_H
#define SINEW_IMU_PROFILE_H

/* Initialisers of the 128-bit UUIDs, least significant byte first, as Bluetooth stacks take them. */
#define SINEW_IMU_SERVICE_UUID \
    { 0x5a, 0xc4, 0x30, 0x3a, 0x35, 0xf2, 0xa0, 0xb1, \
      0xd0, 0x48, 0x9d, 0x6b, 0x01, 0x00, 0x3d, 0xf8 }
#define SINEW_IMU_DATA_UUID \
    { 0x5a, 0xc4, 0x30, 0x3a, 0x35, 0xf2, 0xa0, 0xb1, \
      0xd0, 0x48, 0x9d, 0x6b, 0x02, 0x00, 0x3d, 0xf8 }
#define SINEW_IMU_CONTROL_UUID \
    { 0x5a, 0xc4, 0x30, 0x3a, 0x35, 0xf2, 0xa0, 0xb1, \
      0xd0, 0x48, 0x9d, 0x6b, 0x03, 0x00, 0x3d, 0xf8 }

#define SINEW_IMU_VERSION 1
#define SINEW_IMU_ATT_HEADER_BYTES 3 /* of a notification or indication; the rest of the MTU is the profile's */
#define SINEW_IMU_PACKET_HEADER_BYTES 8
#define SINEW_IMU_LONGEST_COMMAND_BYTES 7
#define SINEW_IMU_LONGEST_ANSWER_BYTES 21
#define SINEW_IMU_NO_MAG_READING (-32768) /* on x, y and z: the magnetometer had no new one */

enum sinew_imu_flag {
    SINEW_IMU_FLAG_NINE_AXES = 0x10, /* each sample has nine readings; otherwise six */
    SINEW_IMU_FLAG_RESENT = 0x20, /* the packet repeats samples that RESEND asked for */
};

enum sinew_imu_opcode {
    SINEW_IMU_OPCODE_START = 0x01, /* sample and send */
    SINEW_IMU_OPCODE_STOP = 0x02, /* send what has been taken, then end the stream */
    SINEW_IMU_OPCODE_RANGES = 0x03, /* set the ranges of the next stream */
    SINEW_IMU_OPCODE_IDENTIFY = 0x04, /* blink or vibrate, so that a person finds this sensor */
    SINEW_IMU_OPCODE_TIME = 0x05, /* tell the clock */
    SINEW_IMU_OPCODE_RESEND = 0x06, /* send samples again */
};

enum sinew_imu_status {
    SINEW_IMU_STATUS_OK = 0x00, /* worked */
    SINEW_IMU_STATUS_UNKNOWN_OPCODE = 0x01, /* the sensor does not have this command */
    SINEW_IMU_STATUS_BAD_PARAMETER = 0x02, /* a value or the length is wrong */
    SINEW_IMU_STATUS_NOT_SUBSCRIBED = 0x03, /* subscribe to data first */
    SINEW_IMU_STATUS_BUSY = 0x04, /* not now: STOP first, or wait for the end of the last RESEND */
};

#endif
