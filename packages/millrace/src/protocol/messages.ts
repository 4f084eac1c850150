import type {
  AnyApi,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
} from './schema/define-api.ts'
import { apiVersions } from './apis/18-api-versions.ts'
import { apiByKey } from './apis/apis.ts'
import { malformed, WireFault } from './wire/malformed.ts'
import { Reader } from './wire/reader.ts'
import { scratchWriter as writer } from './wire/writer.ts'

/**
 * Whole requests and responses. A frame that is read comes without its size (int32); what is
 * written has it in front.
 *
 * Request header v1: int16 key, int16 version, int32 correlation id, nullable client id; v2
 * (flexible) adds tags, but the client id keeps its int16 length. Response header v0: correlation
 * id; v1 (flexible) adds tags, except for ApiVersions.
 */

const unsupportedVersion = 35

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body starts; -1 when key or version are not known here. */
  readonly bodyOffset: number
}

/**
 * Reads the header, whatever the key.
 *
 * @param frame - without its size
 * @throws MR_PROTOCOL_MALFORMED
 */
export function readRequestHeader(frame: Buffer): RequestHeader {
  const reader = new Reader(frame)
  try {
    const apiKey = reader.i16()
    const apiVersion = reader.i16()
    const correlationId = reader.i32()
    const api = apiByKey.get(apiKey)
    const isKnown = api !== undefined && apiVersion >= 0 && apiVersion <= api.versions[1]
    if (!isKnown) {
      return { apiKey, apiVersion, correlationId, clientId: clientIdIfAny(reader), bodyOffset: -1 }
    }
    const clientId = reader.string16(true)
    if (api.request.isFlexible(apiVersion)) reader.skipTags()
    return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position }
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    throw malformed('request header', frame, fault)
  }
}

/** A header from the future may hold anything here, and still gets its answer (KIP-511). */
function clientIdIfAny(reader: Reader): string | null {
  try {
    return reader.string16(true)
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    return null
  }
}

/**
 * The body of a request. Bytes and records in it are views of the frame: copy what must outlive it.
 * Bytes after the body are not looked at, as in Kafka.
 *
 * @throws MR_PROTOCOL_MALFORMED, MR_PROTOCOL_VERSION_UNSUPPORTED
 */
export function decodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  frame: Buffer,
  bodyOffset: number,
): RequestOf<A> {
  return api.request.decode(new Reader(frame, bodyOffset), version)
}

/**
 * A request as slices to write in one go, its size in front.
 *
 * @throws MR_PROTOCOL_UNENCODABLE, MR_PROTOCOL_VERSION_UNSUPPORTED
 */
export function encodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  body: RequestInput<A>,
): Buffer[] {
  writer.start()
  writer.i32(0)
  writer.i16(api.key)
  writer.i16(version)
  writer.i32(header.correlationId)
  writer.string16(header.clientId, true)
  if (api.request.isFlexible(version)) writer.uvarint(0)
  api.request.encode(writer, version, body)
  return framed()
}

/** @throws MR_PROTOCOL_MALFORMED */
export function readCorrelationId(frame: Buffer): number {
  const reader = new Reader(frame)
  try {
    return reader.i32()
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    throw malformed('response header', frame, fault)
  }
}

/**
 * A response without its size, header and body. Bytes and records in it are views of the frame.
 * An ApiVersions answer with error 35 is in the layout of v0, whatever was asked (KIP-511).
 *
 * @throws MR_PROTOCOL_MALFORMED, MR_PROTOCOL_VERSION_UNSUPPORTED
 */
export function decodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  frame: Buffer,
): ResponseOf<A> {
  const reader = new Reader(frame)
  let layout = version
  try {
    reader.i32()
    if (api.key === apiVersions.key) {
      if (reader.i16() === unsupportedVersion) layout = 0
      reader.position -= 2
    } else if (api.response.isFlexible(version)) {
      reader.skipTags()
    }
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    throw malformed('response header', frame, fault)
  }
  return api.response.decode(reader, layout)
}

/**
 * A response as slices to write in one go, its size in front. Records are not copied.
 *
 * @throws MR_PROTOCOL_UNENCODABLE, MR_PROTOCOL_VERSION_UNSUPPORTED
 */
export function encodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInput<A>,
): Buffer[] {
  writer.start()
  writer.i32(0)
  writer.i32(correlationId)
  if (api.key !== apiVersions.key && api.response.isFlexible(version)) writer.uvarint(0)
  api.response.encode(writer, version, body)
  return framed()
}

function framed(): Buffer[] {
  writer.patch32(0, writer.size - 4)
  return writer.take()
}

/** The body alone, without header. */
export function decodeRequestBody<A extends AnyApi>(
  api: A,
  version: number,
  body: Buffer,
): RequestOf<A> {
  return api.request.decodeBody(version, body)
}

export function encodeRequestBody<A extends AnyApi>(
  api: A,
  version: number,
  body: RequestInput<A>,
): Buffer {
  return api.request.encodeBody(version, body)
}

export function decodeResponseBody<A extends AnyApi>(
  api: A,
  version: number,
  body: Buffer,
): ResponseOf<A> {
  return api.response.decodeBody(version, body)
}

export function encodeResponseBody<A extends AnyApi>(
  api: A,
  version: number,
  body: ResponseInput<A>,
): Buffer {
  return api.response.encodeBody(version, body)
}
