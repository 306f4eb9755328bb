package io.tomobasis.io

import org.scalatest.funsuite.AnyFunSuite

import java.io.IOException
import java.net.ConnectException
import java.nio.file.AccessDeniedException

import io.tomobasis.jni.Fault

/** What a store's own exceptions look like: Amazon's SDK is not among the job's dependencies. */
class RefusedByStore(errorCode: String) extends RuntimeException("s3://bucket/DOE^JOHN") {
  def awsErrorDetails: ErrorDetails = new ErrorDetails(errorCode)
}
class ErrorDetails(val errorCode: String)

class ObjectStoresSuite extends AnyFunSuite {
  private def refused(code: String) = {
    val e = new AccessDeniedException("s3a://bucket/DOE^JOHN")
    e.initCause(new RefusedByStore(code))
    e
  }

  test("a refusal is told by its code, not by its text") {
    val faults = Seq(
      "InvalidAccessKeyId" -> Fault.UNKNOWN_ACCESS_KEY,
      "SignatureDoesNotMatch" -> Fault.WRONG_SECRET_KEY,
      "ExpiredToken" -> Fault.EXPIRED_KEYS,
      "AccessDenied" -> Fault.KEYS_WITHOUT_PERMISSION,
      "NoSuchBucket" -> Fault.NO_SUCH_BUCKET,
      "SlowDown" -> Fault.OVERLOADED
    )
    for ((code, fault) <- faults) assert(Faults.of(refused(code)) == fault)
  }

  test("a refusal without a code is a lack of permission") {
    assert(Faults.of(refused(null)) == Fault.PERMISSION_DENIED)
    assert(Faults.of(new AccessDeniedException("x")) == Fault.PERMISSION_DENIED)
  }

  test("a store that does not answer is reported as unreachable") {
    assert(Faults.of(new IOException("retries", new ConnectException("refused"))) == Fault.UNREACHABLE)
  }
}
