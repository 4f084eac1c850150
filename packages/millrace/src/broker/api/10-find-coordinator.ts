/**
 * FindCoordinator (key 10): this broker coordinates everything.
 *
 * - v1: type 0 a group, 1 a transaction. v4: many keys, each answered by itself (KIP-699). v6: type 2, a
 *   share group.
 * - **Not done**: transactions and share groups. Looking for the coordinator of a transaction is 35: with 15, say,
 *   producers try for a minute, the Java admin client without a pause, and then speak of a timeout. Another type
 *   is 42.
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

const groupType = 0
const transactionType = 1

export const findCoordinatorHandler = defineHandler(
  apis.findCoordinator,
  { versions: [0, 6] },
  async (request, call) => {
    const errorCode = await faultOf(request.keyType, call)
    if (call.version < 4) return { ...rowOf(request.key, errorCode, call) }
    return { coordinators: request.coordinatorKeys.map((key) => rowOf(key, errorCode, call)) }
  },
)

async function faultOf(keyType: number, { broker }: Call): Promise<number> {
  if (keyType === transactionType) return errorCodes.UNSUPPORTED_VERSION
  if (keyType !== groupType) return errorCodes.INVALID_REQUEST
  try {
    await broker.groups.ensureTopic()
    return errorCodes.NONE
  } catch (error) {
    if (!isFailure(error)) throw error
    return errorCodes.COORDINATOR_NOT_AVAILABLE
  }
}

function rowOf(
  key: string,
  errorCode: number,
  { broker, peer }: Call,
): {
  readonly key: string
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
} {
  if (errorCode !== errorCodes.NONE) {
    const errorMessage =
      errorCode === errorCodes.UNSUPPORTED_VERSION
        ? 'this broker has no transactions'
        : 'not coordinated here'
    return { key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
  }
  return { key, errorCode, errorMessage: null, nodeId: broker.store.nodeId, ...peer.advertised }
}
