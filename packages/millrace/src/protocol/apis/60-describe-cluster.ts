import { bool, i16, i32, i8, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * DescribeCluster (key 60, KIP-700). `endpointType` 1 brokers, 2 controllers (v1, KIP-919); v2 can
 * list fenced brokers.
 */
export const describeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    endpointType: i8.since(1).default(1),
    includeFencedBrokers: bool.since(2),
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16,
    errorMessage: str.nullable(),
    endpointType: i8.since(1).default(1),
    clusterId: str,
    controllerId: i32.default(-1),
    brokers: list({
      brokerId: i32,
      host: str,
      port: i32,
      rack: str.nullable(),
      isFenced: bool.since(2),
    }),
    clusterAuthorizedOperations: i32.default(-0x80000000),
  },
})
