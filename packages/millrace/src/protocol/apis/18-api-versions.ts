import { bool, i16, i32, i64, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * ApiVersions (key 18), the one irregular key: its response header is v0 at every version, since the
 * client cannot know yet what the broker speaks; and a version that the broker does not know is
 * answered in the layout of v0 with error 35 (KIP-511). v3 carries features in tags (KIP-584).
 */
export const apiVersions = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: str.since(3),
    clientSoftwareVersion: str.since(3),
  },
  response: {
    errorCode: i16,
    apiKeys: list({ apiKey: i16, minVersion: i16, maxVersion: i16 }),
    throttleTimeMs: i32.since(1),
    supportedFeatures: list({ name: str, minVersion: i16, maxVersion: i16 }).since(3).tagged(0),
    finalizedFeaturesEpoch: i64.since(3).default(-1).tagged(1),
    finalizedFeatures: list({ name: str, maxVersionLevel: i16, minVersionLevel: i16 })
      .since(3)
      .tagged(2),
    zkMigrationReady: bool.since(3).tagged(3),
  },
})
