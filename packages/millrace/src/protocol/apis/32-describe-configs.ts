import { bool, i16, i32, i8, list, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * DescribeConfigs (key 32). `configurationKeys` null means all. v1 source and synonyms (KIP-226),
 * v3 type and documentation (KIP-569).
 */
export const describeConfigs = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexible: 4,
  request: {
    resources: list({
      resourceType: i8,
      resourceName: str,
      configurationKeys: list(str).nullable().default([]),
    }),
    includeSynonyms: bool,
    includeDocumentation: bool.since(3),
  },
  response: {
    throttleTimeMs: i32,
    results: list({
      errorCode: i16,
      errorMessage: str.nullable().default(''),
      resourceType: i8,
      resourceName: str,
      configs: list({
        name: str,
        value: str.nullable().default(''),
        readOnly: bool,
        configSource: i8.default(-1),
        isSensitive: bool,
        synonyms: list({ name: str, value: str.nullable().default(''), source: i8 }),
        configType: i8.since(3),
        documentation: str.since(3).nullable(3).default(''),
      }),
    }),
  },
})
