/**
 * ApiVersions (key 18).
 *
 * - The list is derived from the handlers: a key that is not there is not offered, and clients switch
 *   features on by a key's presence.
 * - A version above ours is answered by the dispatcher, in the layout of v0 with code 35 (KIP-511).
 * - v3: name and version of the client's software must be well-formed, else 42 (KIP-511).
 * - Finalized features (KIP-584) count only with an epoch of 0 or more. `transaction.version` is left out
 *   until transactions work: the Java client then stays on the older protocol.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { defineHandler } from './define-handler.ts'

const softwareText = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/

/** 27 is Kafka 4.1-IV1, whose ranges of versions are offered. */
const finalizedFeatures = [{ name: 'metadata.version', minVersionLevel: 1, maxVersionLevel: 27 }]
const supportedFeatures = [{ name: 'metadata.version', minVersion: 7, maxVersion: 27 }]

export const apiVersionsHandler = defineHandler(
  apis.apiVersions,
  { versions: [0, 4] },
  (request, { version, broker }) => {
    const isWellFormed =
      version < 3 ||
      (softwareText.test(request.clientSoftwareName) &&
        softwareText.test(request.clientSoftwareVersion))
    if (!isWellFormed) return { errorCode: errorCodes.INVALID_REQUEST }
    return {
      apiKeys: broker.apiRanges,
      supportedFeatures,
      finalizedFeaturesEpoch: 0,
      finalizedFeatures,
    }
  },
)
