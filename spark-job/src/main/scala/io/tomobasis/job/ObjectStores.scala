package io.tomobasis.job

import org.apache.hadoop.fs.{FileSystem, Path}

import java.io.IOException

import scala.util.Try

/**
 * What is special about stores behind HTTP: a file appears when it is closed, whole; renaming copies; and a refusal has a code that
 * says more than Hadoop's exception does.
 */
object ObjectStores {
  private val Schemes = Set("s3", "s3a", "s3n", "gs", "wasb", "wasbs", "oss", "obs", "cosn")

  def is(fs: FileSystem): Boolean = Schemes.contains(fs.getUri.getScheme)

  /**
   * Why the store refused, in words; None when it was no refusal that we know.
   *
   * The answer to a request for a file's head has no room for a code. Listing the folder asks the same question of the same store
   * again, and the answer to that has.
   */
  def reason(fs: FileSystem, path: Path, e: IOException): Option[String] =
    reason(e).orElse {
      if (is(fs) && denied(e)) Try(fs.listStatus(path)).failed.toOption.flatMap(reason)
      else None
    }

  def reason(e: Throwable): Option[String] = {
    val causes = HadoopFiles.causes(e)
    causes.flatMap(code).collectFirst {
      case "InvalidAccessKeyId" => "the store does not know this access key"
      case "SignatureDoesNotMatch" => "the secret key does not belong to the access key"
      case "ExpiredToken" | "RequestTimeTooSkewed" => "the keys have expired, or a clock is wrong"
      case "NoSuchBucket" => "there is no such bucket"
      case "AccessDenied" => "these keys have no permission"
      case "SlowDown" | "ServiceUnavailable" => "the store is overloaded"
    } orElse causes.map(_.getClass.getSimpleName).collectFirst {
      case "UnknownStoreException" => "there is no such bucket"
      case "NoAuthWithAWSException" | "NoAwsCredentialsException" | "CredentialInitializationException" =>
        "no keys were given"
      case "ConnectException" | "UnknownHostException" | "NoRouteToHostException" |
          "ConnectTimeoutException" | "HttpHostConnectException" | "ApiCallAttemptTimeoutException" =>
        "it cannot be reached"
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
