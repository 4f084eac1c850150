/**
 * DescribeCluster (key 60, KIP-700): one broker, which is the controller. v1: asking for controllers
 * (KIP-919) is 114 on a listener of brokers. Authorized operations are left unknown.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const brokers = 1
const controllers = 2

export const describeClusterHandler = defineHandler(
  apis.describeCluster,
  { versions: [0, 2] },
  ({ endpointType }, { broker, peer }) => {
    const { clusterId, nodeId } = broker.store
    if (endpointType !== brokers) {
      return {
        endpointType,
        errorCode:
          endpointType === controllers
            ? errorCodes.MISMATCHED_ENDPOINT_TYPE
            : errorCodes.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: 'brokers are listed here',
      }
    }
    return {
      errorMessage: null,
      endpointType,
      clusterId,
      controllerId: nodeId,
      brokers: [{ brokerId: nodeId, ...peer.advertised, rack: null }],
    }
  },
)
