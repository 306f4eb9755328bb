package io.tomobasis.job

import org.scalatest.funsuite.AnyFunSuite

import java.io.IOException
import java.net.ConnectException
import java.nio.file.AccessDeniedException

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
    val said = Seq("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "NoSuchBucket").map { code =>
      HadoopFiles.reason(refused(code))
    }
    assert(said.distinct.size == 4)
    assert(said.forall(text => !text.contains("DOE")))
    assert(said.head.contains("access key") && said.last.contains("bucket"))
  }

  test("a refusal without a code is a lack of permission") {
    assert(HadoopFiles.reason(refused(null)) == "permission denied")
    assert(HadoopFiles.reason(new AccessDeniedException("x")) == "permission denied")
  }

  test("a store that does not answer is said to be out of reach") {
    assert(HadoopFiles.reason(new IOException("retries", new ConnectException("refused"))) == "it cannot be reached")
  }
}
