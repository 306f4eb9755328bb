package io.tomobasis.io

import org.apache.hadoop.fs.{FileSystem, Path}

import java.io.IOException

import scala.util.Try

import io.tomobasis.jni.Fault

/**
 * What is special about stores behind HTTP: a file appears when it is closed, whole; renaming copies; and a refusal has a code that
 * says more than Hadoop's exception does.
 */
object ObjectStores {
  private val Schemes = Set("s3", "s3a", "s3n", "gs", "wasb", "wasbs", "oss", "obs", "cosn")

  def is(fs: FileSystem): Boolean = Schemes.contains(fs.getUri.getScheme)

  /**
   * Why the store refused; None when it was no refusal that we know.
   *
   * The answer to a request for a file's head has no room for a code. Listing the folder asks the same question of the same store
   * again, and the answer to that has.
   */
  def fault(fs: FileSystem, path: Path, e: IOException): Option[Fault] =
    fault(e).orElse {
      if (is(fs) && denied(e)) Try(fs.listStatus(path)).failed.toOption.flatMap(fault)
      else None
    }

  def fault(e: Throwable): Option[Fault] = {
    val causes = Causes.of(e)
    causes.flatMap(code).collectFirst {
      case "InvalidAccessKeyId" => Fault.UNKNOWN_ACCESS_KEY
      case "SignatureDoesNotMatch" => Fault.WRONG_SECRET_KEY
      case "ExpiredToken" | "RequestTimeTooSkewed" => Fault.EXPIRED_KEYS
      case "NoSuchBucket" => Fault.NO_SUCH_BUCKET
      case "AccessDenied" => Fault.KEYS_WITHOUT_PERMISSION
      case "SlowDown" | "ServiceUnavailable" => Fault.OVERLOADED
    } orElse causes.map(_.getClass.getSimpleName).collectFirst {
      case "UnknownStoreException" => Fault.NO_SUCH_BUCKET
      case "NoAuthWithAWSException" | "NoAwsCredentialsException" | "CredentialInitializationException" =>
        Fault.NO_KEYS
      case "ConnectException" | "UnknownHostException" | "NoRouteToHostException" |
          "ConnectTimeoutException" | "HttpHostConnectException" | "ApiCallAttemptTimeoutException" =>
        Fault.UNREACHABLE
    }
  }

  private def denied(e: IOException): Boolean = e.isInstanceOf[java.nio.file.AccessDeniedException]

  /** The code in an exception of Amazon's SDK, which is here only when s3a is: hence by reflection. */
  private def code(e: Throwable): Option[String] =
    Try {
      val details = e.getClass.getMethod("awsErrorDetails").invoke(e)
      Option(details).map(d => d.getClass.getMethod("errorCode").invoke(d).asInstanceOf[String])
    }.toOption.flatten.filter(_ != null)
}
