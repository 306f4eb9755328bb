// A project of its own that uses the library from a Maven repository: -Drepository=FOLDER -DtomobasisVersion=V -DsparkVersion=V.
def given(name: String) = sys.props.getOrElse(name, sys.error(s"give -D$name=..."))

scalaVersion := given("scalaVersion")
resolvers += "tomobasis" at s"file://${given("repository")}"
libraryDependencies ++= Seq(
  "io.tomobasis" %% "tomobasis-spark" % given("tomobasisVersion"),
  // What a cluster provides.
  "org.apache.spark" %% "spark-sql" % given("sparkVersion"),
  "org.apache.spark" %% "spark-mllib" % given("sparkVersion")
)
fork := true
javaOptions ++= Seq("java.lang", "java.lang.invoke", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch", "sun.util.calendar")
  .map(name => s"--add-opens=java.base/$name=ALL-UNNAMED")
